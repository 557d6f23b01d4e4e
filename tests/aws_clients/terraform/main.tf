# A function, a version, an alias and permissions, made and unmade by the real provider.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "archive" { type = string }
variable "memory" {
  type    = number
  default = 128
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
    lambda = var.endpoint
    sts    = var.endpoint
    iam    = var.endpoint
  }
}

resource "aws_lambda_function" "thumbnail" {
  function_name    = "thumbnail"
  role             = "arn:aws:iam::123456789012:role/lambda"
  runtime          = "python3.13"
  handler          = "index.handler"
  filename         = var.archive
  source_code_hash = filebase64sha256(var.archive)
  memory_size      = var.memory
  publish          = true
  tags             = { team = "media" }
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
  source_account = "123456789012"
}

resource "aws_lambda_permission" "partner" {
  count         = 3
  statement_id  = "partner-${count.index}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.thumbnail.arn
  qualifier     = aws_lambda_alias.live.name
  # The bare account id would be a difference forever, here as in AWS: it reads back as this ARN.
  principal     = "arn:aws:iam::21098765432${count.index}:root"
}
