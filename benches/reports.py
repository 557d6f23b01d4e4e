#!/usr/bin/env python3
"""What reports, check and import cost, as whole processes against `permitd simulate` on this machine.

    benches/reports.py [PERMITD]      (default: target/release/permitd)

Prints CPU seconds and peak memory of the best of some runs; compare the rows of one run with each other.
Only Python's standard library is used.
"""
import json, os, resource, subprocess, sys, tempfile, time

permitd = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/permitd")
ACCOUNT = "123456789012"
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
       "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}


def statements(function, n):
    return [(f"sid-{m}", "sns.amazonaws.com", f"arn:aws:sns:us-east-1:{ACCOUNT}:topic-{function}-{m}") for m in range(n)]


def seed(path, functions, n):
    def live(name):
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
        return {"Version": "2012-10-17", "Id": "default", "Statement": [
            {"Sid": sid, "Effect": "Allow", "Principal": {"Service": who}, "Action": "lambda:InvokeFunction", "Resource": arn,
             "Condition": {"ArnLike": {"AWS:SourceArn": src}}} for sid, who, src in statements(name, n)]}
    names = [f"f-{i:05d}" for i in range(functions)]
    data = {"accounts": [{"id": ACCOUNT, "region": "us-east-1", "functions": [{"name": it, "policy": live(it)} for it in names]}]}
    with open(path, "w") as out:
        json.dump(data, out)


def wishes(path, functions, n):
    with open(path, "w") as out:
        out.write(f"account: '{ACCOUNT}'\nregion: us-east-1\nfunctions:\n")
        for i in range(functions):
            name = f"f-{i:05d}"
            out.write(f"  - function: {name}\n    statements:\n")
            for sid, who, src in statements(name, n):
                out.write(f"      - sid: {sid}\n        principal: {who}\n        source_arn: {src}\n")


def apart(make, *args):
    """In a process of its own: a child is counted as at least as large as the one that started it."""
    child = os.fork()
    if child == 0:
        make(*args)
        os._exit(0)
    os.waitpid(child, 0)


def run(args, env, repeat=3):
    """The least CPU and the peak memory of some runs, and their wall time."""
    best = None
    for _ in range(repeat):
        start = time.monotonic()
        child = subprocess.Popen([permitd, *args], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            sys.exit(f"{' '.join(args)}: exit code {code}\n{said}")
        this = (usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, wall)
        best = this if best is None or this[0] < best[0] else best
    return best


def row(name, figures, than=None):
    cpu, memory, wall = figures
    more = "" if than is None else f"   CPU {100 * (cpu / than[0] - 1):+5.1f}%, memory {memory - than[1]:+6.1f} MiB"
    print(f"{name:<56} CPU {cpu:6.2f} s   {memory:6.1f} MiB   wall {wall:6.2f} s{more}", flush=True)


class Simulator:
    def __init__(self, seed_file):
        self.process = subprocess.Popen([permitd, "simulate", "--seed", seed_file], env=ENV, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.env = ENV | {"AWS_ENDPOINT_URL": self.process.stdout.readline().strip()}

    def __enter__(self):
        return self.env

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


with tempfile.TemporaryDirectory() as room:
    ENV["XDG_STATE_HOME"] = ENV["XDG_RUNTIME_DIR"] = room
    path = lambda name: os.path.join(room, name)
    print("== reports of 10,000 targets of 5 statements, in sync")
    apart(seed, path("many.json"), 10_000, 5)
    apart(wishes, path("many.yaml"), 10_000, 5)
    with Simulator(path("many.json")) as env:
        plan = ["plan", path("many.yaml"), "--get-policy-budget", "unlimited"]
        run(plan, env, 1)
        text = run(plan, env)
        row("plan, text: the reads", text)
        for output in ("json", "markdown", "html"):
            row(f"plan --output {output}", run([*plan, "--output", output], env), text)
    print("== check of 25,000 statements")
    apart(wishes, path("check.yaml"), 5_000, 5)
    row("check", run(["check", path("check.yaml")], ENV))
    row("check --output sarif", run(["check", path("check.yaml"), "--output", "sarif"], ENV))
    print("== import of 1,000 functions of 5 statements, at 10 GetPolicy a second: 100 s is what the calls need")
    apart(seed, path("import.json"), 1_000, 5)
    with Simulator(path("import.json")) as env:
        row("import --all, no budget", run(["import", "--all", "--out", path("free"), "--get-policy-budget", "unlimited",
                                            "--control-budget", "unlimited"], env, 1))
        row("import --all, 10/s", run(["import", "--all", "--out", path("paced")], env, 1))
