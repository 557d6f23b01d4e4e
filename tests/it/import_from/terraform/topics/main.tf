terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
variable "key" { type = string }
variable "function" { type = string }
resource "aws_lambda_permission" "sns" {
  for_each      = toset(["a", "b"])
  statement_id  = "sns-${length(var.key)}-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = var.function
  principal     = "sns.amazonaws.com"
  source_arn    = "arn:aws:sns:eu-central-1:123456789012:orders-${each.key}"
}
resource "aws_lambda_permission" "url" {
  statement_id           = "url-${length(var.key)}"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = var.function
  principal              = "123456789012"
  function_url_auth_type = "AWS_IAM"
}
