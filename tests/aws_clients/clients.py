#!/usr/bin/env python3
"""boto3 and the AWS CLI against a running simulator: python3 clients.py http://127.0.0.1:4599

Needs: pip install 'boto3==1.44.5' 'botocore==1.44.5' 'awscli==1.46.3'
The simulator is expected to be empty. Ends with status 1 at the first difference.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

ENDPOINT = sys.argv[1]
ACCOUNT = "123456789012"
REGION = "us-east-1"
FN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:thumbnail"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/importer"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def client(service="lambda", region=REGION, keys=None):
    config = Config(retries={"total_max_attempts": 1}, read_timeout=10)
    return boto3.client(
        service, region_name=region, endpoint_url=ENDPOINT, config=config, **(keys or KEYS)
    )


def control(method, endpoint, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_simulator/{endpoint}", data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def check(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}\n   found: {found!r}\nexpected: {expected!r}")


def refused(call, status, code, message=None):
    try:
        call()
    except ClientError as error:
        answer = error.response
        check(answer["ResponseMetadata"]["HTTPStatusCode"], status)
        check(answer["Error"]["Code"], code)
        if message is not None:
            check(answer["Error"]["Message"], message)
        return error
    raise AssertionError(f"not refused with {status} {code}")


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as it:
        it.writestr("index.py", "def handler(event, context): return event\n")
    return buffer.getvalue()


def functions(aws):
    made = aws.create_function(
        FunctionName="thumbnail",
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": archive()},
        Tags={"team": "media"},
    )
    check(made["FunctionArn"], FN)
    check(made["State"], "Pending")
    aws.get_waiter("function_active_v2").wait(FunctionName="thumbnail")
    found = aws.get_function(FunctionName=FN)
    check(found["Configuration"]["LastUpdateStatus"], "Successful")
    check(found["Configuration"]["CodeSha256"], made["CodeSha256"])
    check(found["Tags"], {"team": "media"})
    check(aws.list_tags(Resource=FN)["Tags"], {"team": "media"})
    check(aws.publish_version(FunctionName="thumbnail")["Version"], "1")
    alias = aws.create_alias(FunctionName="thumbnail", Name="live", FunctionVersion="1")
    check(alias["AliasArn"], f"{FN}:live")
    check(aws.get_alias(FunctionName="thumbnail", Name="live")["FunctionVersion"], "1")
    names = [it["Name"] for it in aws.list_aliases(FunctionName="thumbnail")["Aliases"]]
    check(names, ["live"])
    again = lambda: aws.create_function(
        FunctionName="thumbnail", Role=ROLE, Code={"ZipFile": b"x"}
    )
    refused(again, 409, "ResourceConflictException", "Function already exist: thumbnail")


def permissions(aws):
    add = lambda **more: aws.add_permission(
        **{
            "FunctionName": "thumbnail",
            "StatementId": "s3-uploads",
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            **more,
        }
    )
    text = add(SourceArn="arn:aws:s3:::uploads", SourceAccount=ACCOUNT)["Statement"]
    check(
        text,
        '{"Sid":"s3-uploads","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},'
        f'"Action":"lambda:InvokeFunction","Resource":"{FN}","Condition":{{"StringEquals":'
        f'{{"AWS:SourceAccount":"{ACCOUNT}"}},"ArnLike":{{"AWS:SourceArn":"arn:aws:s3:::uploads"}}}}}}',
    )
    policy = aws.get_policy(FunctionName=FN)
    expected = '{"Version":"2012-10-17","Id":"default","Statement":[' + text + "]}"
    check(policy["Policy"], expected)
    refused(
        add,
        409,
        "ResourceConflictException",
        "The statement id (s3-uploads) provided already exists. Please provide a new "
        "statement id, or remove the existing statement.",
    )
    for name in [f"{FN}:live", "thumbnail:live", f"{ACCOUNT}:function:thumbnail:live"]:
        sid = f"s{len(name)}"
        statement = json.loads(add(FunctionName=name, StatementId=sid)["Statement"])
        check(statement["Resource"], f"{FN}:live", name)
    sids = json.loads(aws.get_policy(FunctionName="thumbnail", Qualifier="live")["Policy"])
    check(len(sids["Statement"]), 3)
    stale = lambda: aws.remove_permission(
        FunctionName="thumbnail", StatementId="s3-uploads", RevisionId="wrong"
    )
    refused(
        stale,
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetPolicy API to retrieve the latest Revision Id",
    )
    control("POST", "principals", {"create": [ROLE]})
    add(StatementId="importer", Principal=ROLE)
    control("POST", "principals", {"delete": [ROLE]})
    invalid = "The provided principal was invalid. Please check the principal and try again."
    refused(lambda: add(StatementId="new"), 400, "InvalidParameterValueException", invalid)
    aws.remove_permission(FunctionName="thumbnail", StatementId="importer")
    revision = aws.get_policy(FunctionName="thumbnail")["RevisionId"]
    gone = aws.remove_permission(
        FunctionName="thumbnail", StatementId="s3-uploads", RevisionId=revision
    )
    check(gone["ResponseMetadata"]["HTTPStatusCode"], 204)
    missing = "The resource you requested does not exist."
    refused(
        lambda: aws.get_policy(FunctionName="thumbnail"), 404, "ResourceNotFoundException", missing
    )
    refused(
        lambda: add(StatementId="a b"),
        400,
        "ValidationException",
        "1 validation error detected: Value 'a b' at 'statementId' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
    )


def documents(aws):
    document = '{ "Version": "2012-10-17", "Statement": [ {"Effect": "Deny", "Principal": "*", '
    document += '"Action": "lambda:InvokeFunction", "Resource": "' + FN + '"} ] }'
    put = aws.put_resource_policy(ResourceArn=FN, Policy=document)
    check(put["Policy"], document)
    got = aws.get_resource_policy(ResourceArn=FN)
    check((got["Policy"], got["RevisionId"]), (document, put["RevisionId"]))
    check(aws.get_policy(FunctionName="thumbnail")["RevisionId"], put["RevisionId"])
    wrong = "00000000-0000-0000-0000-000000000000"
    stale = lambda: aws.put_resource_policy(ResourceArn=FN, Policy=document, RevisionId=wrong)
    refused(stale, 412, "PreconditionFailedException")
    aws.delete_resource_policy(ResourceArn=FN, RevisionId=put["RevisionId"])
    refused(lambda: aws.get_resource_policy(ResourceArn=FN), 404, "ResourceNotFoundException")


def paging(aws):
    for n in range(60):
        aws.create_function(FunctionName=f"page-{n:02}", Role=ROLE, Code={"ZipFile": b"x"})
    pages = list(aws.get_paginator("list_functions").paginate())
    check([len(it["Functions"]) for it in pages], [50, 11])
    pages = list(aws.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 25}))
    check([len(it["Functions"]) for it in pages], [25, 25, 11])
    every = aws.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    arns = [it["FunctionArn"] for page in every for it in page["Functions"]]
    check((len(arns), arns[-2:]), (62, [f"{FN}:$LATEST", f"{FN}:1"]))
    for n in range(60):
        aws.delete_function(FunctionName=f"page-{n:02}")


def places(aws):
    check(client(region="eu-west-1").list_functions()["Functions"], [])
    far = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:thumbnail"
    text = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    refused(lambda: aws.get_policy(FunctionName=far), 404, "ResourceNotFoundException", text)
    foreign = f"arn:aws:lambda:{REGION}:210987654321:function:thumbnail"
    refused(lambda: aws.get_policy(FunctionName=foreign), 403, "AccessDeniedException")
    sts = client("sts")
    check(sts.get_caller_identity()["Account"], ACCOUNT)
    role = "arn:aws:iam::210987654321:role/permitd"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    check(client("sts", keys=keys).get_caller_identity()["Account"], "210987654321")
    there = client(keys=keys)
    there.create_function(FunctionName="thumbnail", Role=ROLE, Code={"ZipFile": b"x"})
    refused(lambda: there.get_policy(FunctionName=foreign), 404, "ResourceNotFoundException")


def faults(aws):
    control("PUT", "faults", {"throttle": {"get_policy": 0, "retry_after": 1}})
    error = refused(
        lambda: aws.get_policy(FunctionName="thumbnail"),
        429,
        "TooManyRequestsException",
        "Rate exceeded",
    )
    check(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"], "1")
    check(error.response["Reason"], "CallerRateLimitExceeded")
    fault = {"operation": "GetFunction", "kind": "drop_before"}
    control("PUT", "faults", {"faults": [fault]})
    try:
        aws.get_function(FunctionName="thumbnail")
        raise AssertionError("an answer came back")
    except ConnectionClosedError:
        pass
    control("PUT", "faults", {})


def cli():
    """The same through the AWS CLI; each answer is what it prints."""
    env = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_MAX_ATTEMPTS": "1",
    }
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    # The CLI carries a botocore of its own, whose Lambda may be older than the one beside it.
    models = tempfile.TemporaryDirectory()
    beside = os.path.join(os.path.dirname(botocore.__file__), "data", "lambda")
    os.symlink(beside, os.path.join(models.name, "lambda"))
    env["AWS_DATA_PATH"] = models.name

    def aws(*arguments):
        done = subprocess.run(
            [program, *arguments, "--output", "json"], env=env, capture_output=True, text=True
        )
        if done.returncode:
            return done.stderr.strip()
        return json.loads(done.stdout) if done.stdout.strip() else None

    text = aws(
        "lambda", "add-permission", "--function-name", f"{FN}:live", "--statement-id", "cli",
        "--action", "lambda:InvokeFunctionUrl", "--principal", "*",
        "--function-url-auth-type", "NONE",
    )["Statement"]
    check(
        text,
        '{"Sid":"cli","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl",'
        f'"Resource":"{FN}:live","Condition":{{"StringEquals":'
        '{"lambda:FunctionUrlAuthType":"NONE"}}}',
    )
    policy = aws("lambda", "get-policy", "--function-name", "thumbnail", "--qualifier", "live")
    check("cli" in [it["Sid"] for it in json.loads(policy["Policy"])["Statement"]], True)
    error = aws(
        "lambda", "remove-permission", "--function-name", "thumbnail", "--statement-id", "none",
        "--qualifier", "live",
    )
    check(
        error.splitlines()[-1].removeprefix("aws: [ERROR]: "),
        "An error occurred (ResourceNotFoundException) when calling the RemovePermission "
        "operation: Statement none is not found in resource policy.",
    )
    check(
        aws("lambda", "remove-permission", "--function-name", f"{FN}:live", "--statement-id",
            "cli", "--revision-id", policy["RevisionId"]),
        None,
    )
    check(len(aws("lambda", "list-functions")["Functions"]), 1)
    check(aws("sts", "get-caller-identity")["Account"], ACCOUNT)
    documents_by_cli(aws)


def documents_by_cli(aws):
    """PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy, each guarded, as the CLI sends them."""
    arn = f"{FN}:live"
    aws(
        "lambda", "add-permission", "--function-name", arn, "--statement-id", "first",
        "--action", "lambda:InvokeFunction", "--principal", "sns.amazonaws.com",
    )
    before = aws("lambda", "get-policy", "--function-name", arn)
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "cli",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": ["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"],
                    "Resource": arn,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }
    )
    put = lambda revision: aws(
        "lambda", "put-resource-policy", "--resource-arn", arn, "--policy", document,
        "--revision-id", revision,
    )
    written = put(before["RevisionId"])
    if isinstance(written, str):
        raise AssertionError(written)
    check(written["Policy"], document)
    check(
        aws("lambda", "get-resource-policy", "--resource-arn", arn),
        {"Policy": document, "RevisionId": written["RevisionId"]},
    )
    stale = (
        "operation: The Revision Id provided does not match the latest Revision Id. "
        "Call the GetPolicy API to retrieve the latest Revision Id"
    )
    check(stale in put(before["RevisionId"]), True, "a revision is written on once")
    delete = lambda revision: aws(
        "lambda", "delete-resource-policy", "--resource-arn", arn, "--revision-id", revision
    )
    check(stale in delete(before["RevisionId"]), True)
    check(delete(written["RevisionId"]), None)
    gone = aws("lambda", "get-resource-policy", "--resource-arn", arn)
    check("The resource you requested does not exist." in gone, True, gone)


def main():
    control("POST", "reset")
    aws = client()
    functions(aws)
    permissions(aws)
    documents(aws)
    paging(aws)
    places(aws)
    faults(aws)
    cli()
    aws.delete_function(FunctionName="thumbnail")
    print("boto3 and the AWS CLI: as expected")


main()
