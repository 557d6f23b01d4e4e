#!/usr/bin/env python3
"""Many accounts and regions at once, as whole processes against `permitd simulate` on this machine.

    benches/scale.py [PERMITD] [--floor FLOOR_SDK] [--only pace,cpu] [--repeat N]

pace: 20 accounts and regions of 200 functions, 10 GetPolicy a second in each. `plan` and `run --once` take as long as
      one of them alone, 20 s, and not 400 s: at most 5% more, with everything from the start of the process to its end.
cpu:  20,000 functions in 20 accounts and regions, without a budget, and as many in one: what a check costs in the passes of
      `permitd run`, at most 1.3 times what it costs a bare loop over aws-sdk-lambda (`floor-sdk` of ../shared/bench) that
      asks for as many in one place, in the same run. `plan` is shown beside it: it reads 100,000 statements of YAML first.

Ends with 1 where a bound does not hold. Only Python's standard library is used.
"""
import argparse, json, os, signal, subprocess, sys, tempfile, time

ask = argparse.ArgumentParser()
ask.add_argument("permitd", nargs="?", default="target/release/permitd")
ask.add_argument("--floor", help="the bare loop; without it there is nothing to compare with")
ask.add_argument("--only", default="pace,cpu")
ask.add_argument("--places", type=int, default=20)
ask.add_argument("--statements", type=int, default=5)
ask.add_argument("--repeat", type=int, default=5)
asked = ask.parse_args()
permitd = os.path.abspath(asked.permitd)
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
       "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
REGIONS = ["us-east-1", "eu-west-1"]
PLACES = [(f"{100_000_000_000 + at // 2}", REGIONS[at % 2]) for at in range(asked.places)]
BUDGET, OVER, CPU = 10, 1.05, 1.3
failures = []


def hold(bound, holds):
    if not holds:
        failures.append(bound)
    return "holds" if holds else "DOES NOT HOLD"


def statements(account, region, name):
    return [(f"sid-{m}", "sns.amazonaws.com", f"arn:aws:sns:{region}:{account}:topic-{name}-{m}") for m in range(asked.statements)]


def names(functions):
    return [f"f-{at:05d}" for at in range(functions)]


def seed(path, places, functions):
    def function(account, region, name):
        arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
        return {"name": name, "policy": {"Version": "2012-10-17", "Id": "default", "Statement": [
            {"Sid": sid, "Effect": "Allow", "Principal": {"Service": who}, "Action": "lambda:InvokeFunction", "Resource": arn,
             "Condition": {"ArnLike": {"AWS:SourceArn": source}}} for sid, who, source in statements(account, region, name)]}}
    with open(path, "w") as out:
        json.dump({"accounts": [{"id": account, "region": region,
                                 "functions": [function(account, region, it) for it in names(functions)]}
                                for account, region in places]}, out)


def files(room, places, functions):
    """A file for each account and region, and the settings: every account is entered by its role."""
    os.mkdir(f"{room}/permissions")
    for account, region in places:
        with open(f"{room}/permissions/{account}-{region}.yaml", "w") as out:
            out.write(f"account: '{account}'\nregion: {region}\nfunctions:\n")
            for name in names(functions):
                out.write(f"  - function: {name}\n    statements:\n")
                for sid, who, source in statements(account, region, name):
                    out.write(f"      - sid: {sid}\n        principal: {who}\n        source_arn: {source}\n")
    regions = {}
    for account, region in places:
        regions.setdefault(account, []).append(region)
    with open(f"{room}/permitd.yaml", "w") as out:
        out.write("permissions: [permissions/]\nmode: enforce\ninterval: 1s\njitter: 0%\nhttp: {listen: '127.0.0.1:0'}\naccounts:\n")
        for account, them in regions.items():
            out.write(f"  - id: '{account}'\n    regions: [{', '.join(them)}]\n    role_arn: arn:aws:iam::{account}:role/permitd\n")


def wishes(path, place, functions):
    """The same for the bare loop."""
    with open(path, "w") as out:
        json.dump([{"function": name, "permissions": [
            {"StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": who, "SourceArn": source}
            for sid, who, source in statements(*place, name)]} for name in names(functions)], out)


def apart(make, *args):
    """In a process of its own: a child is counted as at least as large as the one that started it."""
    child = os.fork()
    if child == 0:
        make(*args)
        os._exit(0)
    os.waitpid(child, 0)


class Simulator:
    def __init__(self, seed_file):
        self.process = subprocess.Popen([permitd, "simulate", "--seed", seed_file], env=ENV, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def run(command, room, url):
    """CPU seconds, peak memory in MiB, seconds, and what it said."""
    env = ENV | {"AWS_ENDPOINT_URL": url, "EP": url, "XDG_STATE_HOME": room, "XDG_RUNTIME_DIR": room,
                 "PERMITD_CONFIG": f"{room}/permitd.yaml"}
    start = time.monotonic()
    with open(f"{room}/out", "w+") as out, open(f"{room}/err", "w+") as err:
        child = subprocess.Popen(command, env=env, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        out.seek(0), err.seek(0)
        said, code = out.read() + err.read(), os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.exit(f"{' '.join(command)}: exit code {code}\n{said[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, seconds, said


def passes(room, url, places, rounds=3):
    """CPU seconds of a check in the passes of a daemon that follow its first ones: nothing is read but policies."""
    env = ENV | {"AWS_ENDPOINT_URL": url, "XDG_STATE_HOME": room, "XDG_RUNTIME_DIR": room, "PERMITD_CONFIG": f"{room}/permitd.yaml"}
    words = "run --log-format json --get-policy-budget unlimited --control-budget unlimited".split()
    child = subprocess.Popen([permitd, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait(n):
        done = 0
        for line in child.stderr:
            said = json.loads(line)
            if said.get("message") == "pass done" and said.get("trigger") == "full pass":
                done += said["targets"]
                if done >= n:
                    fields = open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()
                    return done, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        sys.exit("permitd has ended")

    n = places
    _, before = wait(n)
    done, after = wait(n * rounds)
    child.send_signal(signal.SIGTERM)
    child.stderr.read()
    child.wait()
    return (after - before) / done


def pace():
    functions = 200
    least = functions / BUDGET
    print(f"== {len(PLACES)} accounts and regions of {functions} functions, {BUDGET} GetPolicy a second in each: "
          f"{least:.0f} s, and not {least * len(PLACES):.0f} s")
    with tempfile.TemporaryDirectory() as room:
        apart(seed, f"{room}/seed.json", PLACES, functions)
        apart(files, room, PLACES, functions)
        with Simulator(f"{room}/seed.json") as simulator:
            for words in ("plan", "run --once"):
                command = [permitd, *words.split(), "--get-policy-budget", f"{BUDGET}/s"]
                cpu, memory, seconds, said = run(command, room, simulator.url)
                if f"of {functions * len(PLACES):,} functions" not in said and f"of {functions * len(PLACES)} functions" not in said:
                    sys.exit(f"not all of them were looked at:\n{said[-2000:]}")
                holds = hold(f"{words}: as long as the largest", least * 0.95 <= seconds <= least * OVER)
                print(f"   {words:<12} {seconds:6.2f} s, {100 * (seconds / least - 1):+.1f}% "
                      f"(at most {100 * (OVER - 1):+.0f}%: {holds}); CPU {cpu:.2f} s, {memory:.0f} MiB", flush=True)


def cpu():
    functions = 20_000 // len(PLACES)
    n = functions * len(PLACES)
    print(f"== {n:,} functions of {asked.statements} statements in {len(PLACES)} accounts and regions, without a budget; "
          f"the least of {asked.repeat} runs, in turns")
    if not asked.floor:
        print("SKIPPED: there is no bare loop to compare with (--floor)")
        return
    one = [("123456789012", "us-east-1")]
    rooms = {"many": PLACES, "one": one}
    with tempfile.TemporaryDirectory() as top:
        for name, places in rooms.items():
            os.mkdir(f"{top}/{name}")
            apart(seed, f"{top}/{name}/seed.json", places, n // len(places))
            apart(files, f"{top}/{name}", places, n // len(places))
        apart(wishes, f"{top}/one/desired.json", one[0], n)
        loop, plans, checks = [], {"many": [], "one": []}, {"many": [], "one": []}
        with Simulator(f"{top}/one/seed.json") as there, Simulator(f"{top}/many/seed.json") as simulator:
            urls = {"many": simulator.url, "one": there.url}
            for _ in range(asked.repeat):
                command = [os.path.abspath(asked.floor), f"{top}/one/desired.json", "16"]
                loop.append(run(command, f"{top}/one", there.url))
                if loop[-1][3].strip() != f"ok={n * asked.statements} drift=0":
                    sys.exit(f"the bare loop has failed: {loop[-1][3]}")
                command = [permitd, "plan", "--get-policy-budget", "unlimited", "--control-budget", "unlimited", "--detailed-exitcode"]
                for name in rooms:
                    plans[name].append(run(command, f"{top}/{name}", urls[name]))
                    checks[name].append(passes(f"{top}/{name}", urls[name], n))
        floor = min(it[0] for it in loop) / n
        print(f"   bare loop             {1e6 * floor:6.1f} us a function; {min(loop)[1]:.0f} MiB")
        for name, places in rooms.items():
            where = f"{len(places):2} places"
            cpu, memory, _, _ = min(plans[name])
            print(f"   permitd plan, {where} {1e6 * cpu / n:6.1f} us a function, {cpu / n / floor:.2f} times the loop; {memory:.0f} MiB; with its files")
            each = min(checks[name])
            ratio = each / floor
            print(f"   permitd run,  {where} {1e6 * each:6.1f} us a check, {ratio:.2f} times the loop "
                  f"(at most {CPU}: {hold(f'CPU of a checked target, {where}', ratio <= CPU)})", flush=True)


parts = asked.only.split(",")
if "pace" in parts:
    pace()
if "cpu" in parts:
    cpu()
if failures:
    sys.exit("does not hold: " + ", ".join(failures))
