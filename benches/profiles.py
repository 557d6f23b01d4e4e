#!/usr/bin/env python3
"""What the release profile costs and gives: size, start, and CPU of a large check and a large plan, for several profiles.

    benches/profiles.py                    # builds each of VARIANTS (5 to 10 minutes of CPU each), and measures them
    benches/profiles.py NAME=PERMITD …     # measures what is there

CPU is the least of nine runs, which take turns, so a busy machine does not matter much.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tomllib

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(f"{REPO}/Cargo.toml", "rb") as manifest:
    PACKAGES = tomllib.load(manifest)["profile"]["release"]["package"]
level = lambda names, it: [f'profile.release.package."{name}".opt-level={it}' for name in names]
VARIANTS = {
    "as it is": [],
    "our own code for speed as well": ["profile.release.opt-level=3"],
    "all for speed": ["profile.release.opt-level=3", *level(PACKAGES, 3)],
    "all for size": level(PACKAGES, '"z"'),
    "thin LTO": ['profile.release.lto="thin"'],
}
N_FUNCTIONS = 1_000
PLACE = 'account: "123456789012"\nregion: us-east-1\nfunctions:\n'


def built(name, settings):
    words = [word for it in settings for word in ("--config", it)]
    environment = {**os.environ, "CARGO_TARGET_DIR": f"{REPO}/target/profiles/{name.replace(' ', '-')}"}
    done = subprocess.run([f"{REPO}/deploy/build.sh", "static", *words], env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{name} is not built")
    return done.stdout.strip()


def permissions(n_functions):
    res = [PLACE]
    for n in range(n_functions):
        res.append(f"  - function: f{n}\n    ownership: all\n    statements:\n")
        for it in range(5):
            res.append(f"      - sid: s{it}\n        principal: s3.amazonaws.com\n        source_arn: arn:aws:s3:::b-{n}-{it}\n"
                       '        source_account: "123456789012"\n')
    return "".join(res)


def live(n, it):
    conditions = {"StringEquals": {"AWS:SourceAccount": "123456789012"}, "ArnLike": {"AWS:SourceArn": f"arn:aws:s3:::b-{n}-{it}"}}
    return {"Sid": f"s{it}", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
            "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:f{n}", "Condition": conditions}


def cpu(words, environment):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{words}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(binaries, work):
    policy = lambda n: {"Version": "2012-10-17", "Id": "default", "Statement": [live(n, it) for it in range(5)]}
    functions = [{"name": f"f{n}", "policy": policy(n)} for n in range(N_FUNCTIONS)]
    with open(f"{work}/seed.yaml", "w") as file:
        json.dump({"accounts": [{"id": "123456789012", "region": "us-east-1", "functions": functions}]}, file)
    for name, n in [("check", 5 * N_FUNCTIONS), ("plan", N_FUNCTIONS)]:
        with open(f"{work}/{name}.yaml", "w") as file:
            file.write(permissions(n))
    words = [next(iter(binaries.values())), "simulate", "--seed", f"{work}/seed.yaml"]
    simulator = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={})
    environment = {
        "AWS_ENDPOINT_URL": simulator.stdout.readline().strip(), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", "XDG_STATE_HOME": work,
        "PERMITD_GET_POLICY_BUDGET": "unlimited", "PERMITD_CONTROL_BUDGET": "unlimited",
    }
    least = {name: [9.0, 9.0, 9.0] for name in binaries}
    try:
        for _ in range(9):
            for name, path in binaries.items():
                start = time.perf_counter()
                subprocess.run([path, "--version"], stdout=subprocess.DEVNULL, env={}, check=True)
                now = [time.perf_counter() - start]
                now += [cpu([path, it, f"{work}/{it}.yaml"], environment) for it in ("check", "plan")]
                least[name] = [min(pair) for pair in zip(least[name], now)]
    finally:
        simulator.terminate()
        simulator.wait()
    return least


def main():
    binaries = dict(it.split("=", 1) for it in sys.argv[1:]) or {name: built(name, it) for name, it in VARIANTS.items()}
    with tempfile.TemporaryDirectory() as work:
        least = measured(binaries, work)
    print(f"| profile | MiB | start | check of {25 * N_FUNCTIONS:,} statements | plan of {N_FUNCTIONS:,} functions |\n|---|---|---|---|---|")
    for name, (start, check, plan) in least.items():
        size = os.path.getsize(binaries[name]) / 2**20
        print(f"| {name} | {size:.1f} | {start * 1000:.1f} ms | {check:.3f} s | {plan:.3f} s |")


main()
