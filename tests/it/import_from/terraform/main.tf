terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
variable "endpoint" { type = string }
variable "archive" { type = string }
variable "token" {
  type      = string
  default   = "amzn1.ask.skill.1234"
  sensitive = true
}
provider "aws" {
  region                  = "us-east-1"
  access_key              = "test"
  secret_key              = "test"
  skip_metadata_api_check = true
  skip_region_validation  = true
  endpoints {
    lambda = var.endpoint
    sts    = var.endpoint
    iam    = var.endpoint
  }
}
provider "aws" {
  alias                   = "frankfurt"
  region                  = "eu-central-1"
  access_key              = "test"
  secret_key              = "test"
  skip_metadata_api_check = true
  skip_region_validation  = true
  endpoints {
    lambda = var.endpoint
    sts    = var.endpoint
    iam    = var.endpoint
  }
}
data "aws_caller_identity" "me" {}
resource "aws_lambda_function" "thumbnail" {
  function_name = "thumbnail"
  role          = "arn:aws:iam::123456789012:role/lambda"
  runtime       = "python3.13"
  handler       = "index.handler"
  filename      = var.archive
  publish       = true
}
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.thumbnail.function_name
  function_version = aws_lambda_function.thumbnail.version
}
resource "aws_lambda_permission" "s3" {
  statement_id   = "s3-uploads"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.thumbnail.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::uploads"
  source_account = data.aws_caller_identity.me.account_id
}
resource "aws_lambda_permission" "partner" {
  count         = 2
  statement_id  = "partner-${count.index}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.thumbnail.arn
  qualifier     = aws_lambda_alias.live.name
  principal     = "arn:aws:iam::21098765432${count.index}:root"
}
resource "aws_lambda_permission" "skill" {
  statement_id_prefix = "alexa-"
  action              = "lambda:InvokeFunction"
  function_name       = aws_lambda_function.thumbnail.function_name
  principal           = "alexa-appkit.amazon.com"
  event_source_token  = var.token
}
resource "aws_lambda_permission" "org" {
  statement_id     = "org"
  action           = "lambda:InvokeFunction"
  function_name    = aws_lambda_function.thumbnail.function_name
  principal        = "*"
  principal_org_id = "o-a1b2c3d4e5"
}
module "topics" {
  source    = "./topics"
  for_each  = toset(["orders", "in \"quotes\""])
  key       = each.key
  function  = aws_lambda_function.eu.function_name
  providers = { aws = aws.frankfurt }
}
resource "aws_lambda_function" "eu" {
  provider      = aws.frankfurt
  function_name = "orders"
  role          = "arn:aws:iam::123456789012:role/lambda"
  runtime       = "python3.13"
  handler       = "index.handler"
  filename      = var.archive
}
