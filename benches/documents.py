#!/usr/bin/env python3
"""Three hundred S3 buckets on one function: calls and time, as a list in one write, and one more.

    python3 benches/documents.py target/release/permitd

The simulator is the server, with 30 ms a call; without a budget of permitd's own, and with Lambda's quota of 15 a second
for each kind of call. What statement by statement would cost is counted, not measured: 300 do not fit.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

PERMITD = str(pathlib.Path(sys.argv[1]).resolve())
N = 300
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}


def wishes(n):
    head = "account: '123456789012'\nfunctions:\n  - function: f\n    writer: document\n    compact: true\n    statements:\n"
    grant = (
        "      - {{sid: bucket-{0:03}, principal: s3.amazonaws.com, source_arn: 'arn:aws:s3:::customer-data-{0:03}', "
        "source_account: '123456789012'}}\n"
    )
    return head + "".join(grant.format(it) for it in range(n))


def ask(endpoint, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(endpoint + path, data, method=method)) as it:
        return json.loads(it.read() or "null")


def main():
    with tempfile.TemporaryDirectory() as room:
        room = pathlib.Path(room)
        theirs = {
            "Sid": "theirs", "Effect": "Allow", "Action": "lambda:InvokeFunction",
            "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
        }
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": [theirs]}
        seed = {"accounts": [{"id": "123456789012", "region": "us-east-1", "functions": [{"name": "f", "policy": policy}]}]}
        (room / "seed.yaml").write_text(json.dumps(seed))
        (room / "permitd.yaml").write_text("permissions: [p.yaml]\nmode: enforce\njournal: journal.db\n")
        simulator = subprocess.Popen(
            [PERMITD, "simulate", "--listen", "127.0.0.1:0", "--seed", str(room / "seed.yaml")],
            stdout=subprocess.PIPE, text=True,
        )
        endpoint = simulator.stdout.readline().split()[-1]
        endpoint = endpoint if endpoint.startswith("http") else f"http://{endpoint}"
        try:
            ask(endpoint, "PUT", "/_simulator/faults", {"latency_ms": 30})
            for n in (N, N, N + 1):
                (room / "p.yaml").write_text(wishes(n))
                ask(endpoint, "DELETE", "/_simulator/requests")
                start = time.monotonic()
                subprocess.run(
                    [PERMITD, "apply", "--yes", "-q"], cwd=room, check=True, stdout=subprocess.DEVNULL,
                    env={**KEYS, "PATH": "/usr/bin", "HOME": str(room), "AWS_ENDPOINT_URL": endpoint},
                )
                took = time.monotonic() - start
                calls = [it["operation"] for it in ask(endpoint, "GET", "/_simulator/requests")["requests"]]
                print(f"{n} grants: {took:.2f} s, {' '.join(calls)}")
        finally:
            simulator.terminate()
    # A resource for each statement: AddPermission and the read after it, one after the other in one function.
    print(f"statement by statement, if they fitted: {N} AddPermission and {N} GetPolicy, at least {2 * N * 0.03:.0f} s at 30 ms a call")


main()
