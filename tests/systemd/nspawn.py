#!/usr/bin/env python3
"""permitd as a service, for real: systemd as PID 1 in a container over this machine's own root.

    tests/systemd/nspawn.py [PERMITD]        # default: target/debug/permitd; needs root and systemd-nspawn

The container's root is an overlay in memory, its network is its own loopback; nothing of the machine changes.
What deploy/systemd/README.md says to install and to uninstall is run as it stands there. A simulator beside permitd
is AWS. Prints a line a check; exit code 1 if one failed, 75 (SKIPPED) where no container can be started.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
SKIPPED = 75
# Another Debian's root, to try another systemd: debootstrap --include=systemd,systemd-sysv,dbus,curl,procps trixie DIR
BELOW = os.environ.get("PERMITD_NSPAWN_ROOT", "/")
PATIENCE = 30

PERMISSIONS = """\
account: "123456789012"
region: us-east-1
functions:
  - function: thumbnail
    ownership: all
    statements:
      - {sid: s3-uploads, principal: s3.amazonaws.com, source_arn: "arn:aws:s3:::uploads"}
"""
MORE = """\
  - function: invoice
    statements: [{sid: nightly, principal: events.amazonaws.com, source_arn: "arn:aws:events:us-east-1:123456789012:rule/n"}]
"""
SETTINGS = """\
permissions: [permissions]
mode: enforce
interval: 1h
poll_interval: 1h
limits: unlimited
journal: /var/lib/permitd/journal.db
control: /run/permitd/control.sock
"""
LEGACY = {
    "Sid": "legacy", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:thumbnail",
}
KEY = "AKIAIOSFODNN7EXAMPLE"
SEED = {"accounts": [{
    "id": "123456789012", "region": "us-east-1", "access_keys": [KEY],
    "functions": [
        {"name": "thumbnail", "policy": {"Version": "2012-10-17", "Id": "default", "Statement": [LEGACY]}},
        {"name": "invoice"},
    ],
}]}
FAKE = "http://127.0.0.1:4599"

results = []


def say(word, name, why=""):
    results.append(word)
    print(f"{word:8} {name}{': ' + why if why else ''}  [{time.monotonic() - START:.1f}s]", flush=True)


def check(name, ok, why=""):
    say("ok" if ok else "FAILED", name, "" if ok else str(why)[-1500:])
    return ok


def run(*words, **more):
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=60, **more)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", "it did not come back")


class Container:
    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="permitd-nspawn-")
        self.process = self.leader = None
        self.mounted = []

    def mount(self, *words):
        done = run("mount", *words)
        if done.returncode:
            raise Skip(f"mount is not allowed: {done.stderr.strip()}")
        self.mounted.append(words[-1])

    def boot(self):
        self.mount("-t", "tmpfs", "tmpfs", self.top)
        for name in "uwm":
            os.mkdir(f"{self.top}/{name}")
        self.root = f"{self.top}/m"
        layers = f"lowerdir={BELOW},upperdir={self.top}/u,workdir={self.top}/w"
        self.mount("-t", "overlay", "overlay", "-o", layers, self.root)
        # Nothing of what this machine starts, and an identity of its own.
        for wants in os.listdir(self.path("/etc/systemd/system")):
            if wants.endswith(".wants"):
                shutil.rmtree(self.path(f"/etc/systemd/system/{wants}"))
        open(self.path("/etc/machine-id"), "w").close()
        log = open(f"{self.top}/boot.log", "w")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit", "--boot",
             "--private-network", "--console=pipe", "systemd.log_target=journal"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            found = run("pgrep", "-P", str(self.process.pid)).stdout.split()
            if found and os.path.exists(f"/proc/{found[0]}/root/run/systemd/private"):
                self.leader = found[0]
                state = self.sh("systemctl is-system-running --wait").stdout.strip()
                if state in ("running", "degraded"):
                    return state
            time.sleep(0.05)
        raise Skip("the container does not start: " + open(f"{self.top}/boot.log").read()[-600:].strip())

    def path(self, name):
        return self.root + name

    def sh(self, script, **more):
        return run("nsenter", "-t", self.leader, "-a", "sh", "-c", script, **more)

    def write(self, name, text, mode=0o644):
        """Into the container, as it sees itself."""
        done = self.sh(f"mkdir -p $(dirname {name}) && cat >{name} && chmod {mode:o} {name}", input=text)
        assert done.returncode == 0, done.stderr

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for place in reversed(self.mounted):
            if run("umount", place).returncode:
                run("umount", "-l", place)
        os.rmdir(self.top)


class Skip(Exception):
    pass


def eventually(ask):
    """What it says once it says something that is true; what it said last if it never does."""
    until = time.monotonic() + PATIENCE
    while True:
        res = ask()
        if res or time.monotonic() > until:
            return res
        time.sleep(0.1)


def readme(heading):
    """The shell of a section of the README."""
    text = open(f"{REPO}/deploy/systemd/README.md").read()
    section = text.split(f"## {heading}\n", 1)[1]
    section = section.split("\n## ", 1)[0]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


class Service:
    """permitd in the container, and the simulator beside it."""

    def __init__(self, box):
        self.box = box

    def show(self, name):
        return self.box.sh(f"systemctl show permitd -P {name}").stdout.strip()

    def status(self):
        return self.show("StatusText")

    def status_with(self, text):
        return eventually(lambda: text in self.status()), self.status()

    def log(self, words=""):
        return self.box.sh(f"journalctl -u permitd -o cat --no-pager {words}").stdout

    def http(self, path):
        done = self.box.sh(f"curl -s -o /dev/null -w '%{{http_code}}' http://127.0.0.1:9187{path}")
        return done.stdout

    def state(self):
        return json.loads(self.box.sh(f"curl -s {FAKE}/_simulator/state").stdout)

    def sids(self, function):
        functions = self.state()["accounts"][0]["functions"]
        found = next(it for it in functions if it["name"] == function)
        return [it["Sid"] for it in (found.get("policy") or {}).get("Statement", [])]

    def has(self, function, sids):
        return eventually(lambda: self.sids(function) == sids)

    def configure(self, permissions):
        self.box.write("/etc/permitd/permissions/p.yaml", permissions)

    def drop_in(self, name, text):
        self.box.write(f"/etc/systemd/system/permitd.service.d/{name}.conf", text)
        self.box.sh("systemctl daemon-reload")


def install(box, service, binary):
    """As the README says, from a folder like that of a checkout."""
    box.write("/etc/permitd/permitd.yaml", SETTINGS)
    service.configure(PERMISSIONS)
    box.write("/etc/permitd/aws-credentials",
              f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = secret\n", 0o600)
    box.write("/etc/default/permitd", f"AWS_ENDPOINT_URL={FAKE}\nAWS_REGION=us-east-1\n", 0o600)
    box.write("/root/seed.yaml", json.dumps(SEED))
    source = box.path("/root/permitd")
    os.makedirs(source)
    shutil.copytree(f"{REPO}/deploy", f"{source}/deploy")
    shutil.copy(f"{REPO}/README.md", source)
    if run("strip", "-o", f"{source}/permitd", binary).returncode:
        shutil.copy(binary, f"{source}/permitd")
    os.chmod(f"{source}/permitd", 0o755)
    box.sh("cp /root/permitd/permitd /usr/local/bin/fake-lambda && mkdir -p /root/fake")
    fake(box)
    first, credentials = readme("Install")
    before = listing(box)
    steps = first.split("systemctl daemon-reload")
    for part in (steps[0], credentials, "systemctl daemon-reload" + steps[1]):
        start = time.monotonic()
        done = box.sh(f"set -e; cd /root/permitd; {part}")
        if not check("install, as the README says" + (" (start)" if "enable" in part else ""),
                     done.returncode == 0, done.stdout + done.stderr + service.log()):
            return before, None
    return before, time.monotonic() - start


def listing(box):
    """What is there, where a service leaves things."""
    places = "/etc/systemd /etc/default /usr/bin /usr/share/doc /var/lib /var/cache /run/systemd/system /run/permitd"
    skip = "-path /var/lib/systemd -prune -o"
    return set(box.sh(f"find {places} {skip} -print 2>/dev/null").stdout.split("\n"))


def fake(box):
    words = "--listen 127.0.0.1:4599 --seed /root/seed.yaml"
    box.sh(f"systemd-run -q --unit=fake --collect /usr/local/bin/fake-lambda simulate {words}")
    assert eventually(lambda: box.sh(f"curl -sf {FAKE}/_simulator/state").returncode == 0), "no simulator"


def started(service, took):
    show, status = service.show, service.status
    check("start waits until it is ready", show("ActiveState") == "active" and show("SubState") == "running")
    check("the drift is closed", service.has("thumbnail", ["s3-uploads"]), service.log())
    ok, line = service.status_with("; last pass ")
    check(f"status in one line (`{line}`)",
          ok and line.startswith("0 of 1 target differ, 0 held, 0 unknown; last pass "), line)
    # With Type=notify and READY it would otherwise run into TimeoutStartSec.
    check(f"start took {took:.1f} s", took < 20, took)
    check("/livez, /readyz and /metrics answer",
          [service.http(it) for it in ("/livez", "/readyz", "/metrics")] == ["200"] * 3)


def confined(box, service):
    pid = service.show("MainPID")
    status = box.sh(f"cat /proc/{pid}/status").stdout
    field = lambda name: re.search(rf"^{name}:\s*(.*)$", status, re.M).group(1)
    uid = int(field("Uid").split()[0])
    check(f"the user is made for it (uid {uid})", 61184 <= uid <= 65519, uid)
    caps = [field(it) for it in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    check("no capabilities, no new privileges, a system call filter",
          set(caps) == {"0" * 16} and field("NoNewPrivs") == "1" and field("Seccomp") == "2", status)
    seen = box.sh(f"nsenter -t {pid} -m sh -c 'touch /etc/permitd/x /usr/x; ls /root /home'")
    check("/etc and /usr are read-only, homes are not seen",
          seen.stderr.count("Read-only file system") == 2 and seen.stdout == "/home:\n\n/root:\n",
          seen.stdout + seen.stderr)
    kept = box.sh("stat -c '%u %a' /var/lib/private/permitd /var/lib/permitd/journal.db").stdout.split("\n")
    check("the state directory is its own and holds the journal", kept[0] == f"{uid} 700" and
          kept[1].startswith(f"{uid} "), kept)
    unreadable = box.sh(f"setpriv --reuid={uid} --clear-groups cat /etc/permitd/aws-credentials")
    check("the credentials came by LoadCredential, for its user cannot read the file",
          unreadable.returncode != 0 and "Permission denied" in unreadable.stderr, unreadable.stderr)
    secret = "secret" in box.sh(f"tr '\\0' '\\n' </proc/{pid}/environ").stdout
    check("no secret is in its environment", not secret)
    score = box.sh("systemd-analyze security permitd --no-pager").stdout
    score = re.search(r"exposure level for permitd.service: ([0-9.]+)", score)
    score = float(score.group(1)) if score else 99
    check(f"systemd-analyze security: {score}", score <= 1.2)


def spoken_to(box, service):
    history = box.sh("permitd history --config /etc/permitd/permitd.yaml --output json")
    entries = json.loads(history.stdout or "{}").get("entries", [])
    sids = sorted(it["sid"] for it in entries)
    check("root reads the journal", sids == ["legacy", "s3-uploads"], history.stdout + history.stderr)
    for command, said in [("pause thumbnail --for 1h", "paused"), ("resume thumbnail", "")]:
        done = box.sh(f"permitd {command} --config /etc/permitd/permitd.yaml")
        check(f"root says `permitd {command}`", done.returncode == 0 and said in done.stdout + done.stderr,
              done.stdout + done.stderr)


def logged(service):
    """What the journal has of it. With fields of permitd's own (a layer for journald) also their levels."""
    lines = [json.loads(it) for it in service.log("-o json").splitlines()]
    own = [it for it in lines if it.get("_COMM") == "permitd"]
    check("the log is in the journal, each line with a priority",
          any("permitd is running" in str(it.get("MESSAGE")) for it in own) and all("PRIORITY" in it for it in own),
          lines[-3:])
    journald = [it for it in own if it.get("_TRANSPORT") == "journal"]
    if not journald:
        say("SKIPPED", "levels and fields in the journal", "the log comes by stderr, without them")
        return
    deeds = [it for it in journald if "legacy" in str(it)]
    check("what was done has level and fields", deeds and all(it["PRIORITY"] in "456" for it in deeds), deeds[:2])
    check("nothing secret is in the journal", "aws_secret" not in str(own) and "=secret" not in str(own))


def reloads(box, service):
    service.configure(PERMISSIONS + MORE)
    done = box.sh("systemctl reload permitd")
    check("reload", done.returncode == 0, done.stderr)
    check("the new target is as written", service.has("invoice", ["nightly"]), service.log())
    ok, line = service.status_with("of 2 targets")
    check("the status tells of it", ok, line)
    service.configure(PERMISSIONS + MORE.replace("statements", "statments"))
    box.sh("systemctl reload permitd")
    ok, line = service.status_with("refused")
    # The path is as permitd was given it.
    check("a bad file is refused, with its place in the status",
          ok and "/etc/permitd/permissions/p.yaml:9:5: " in line and "of 2 targets" in line, line)
    eventually(lambda: service.show("ActiveState") == "active")
    check("and the old configuration stays in force", service.show("ActiveState") == "active" and
          service.sids("invoice") == ["nightly"] and service.show("NRestarts") == "0")
    service.configure(PERMISSIONS + MORE)
    box.sh("systemctl reload permitd")
    ok = eventually(lambda: "refused" not in service.status())
    check("the next good one ends that", ok, service.status())
    # A file that changes needs no systemctl.
    service.drop_in("poll", "[Service]\nEnvironment=PERMITD_POLL_INTERVAL=1s\n")


def notify_reload(box, service):
    version = int(box.sh("systemctl --version").stdout.split()[1])
    name = "reload waits with the drop-in notify-reload.conf"
    if version < 253:
        say("SKIPPED", name, f"systemd {version}; it needs 253")
        return
    service.drop_in("notify-reload", open(f"{REPO}/deploy/systemd/drop-ins/notify-reload.conf").read())
    box.sh("systemctl restart permitd")
    # What is told last is there as soon as the command comes back.
    for permissions, said in [(PERMISSIONS, "1 target"), (PERMISSIONS.replace("sid:", "sit:"), "refused")]:
        service.configure(permissions)
        done = box.sh("systemctl reload permitd && systemctl show permitd -P StatusText")
        check(f"{name} ({said})", said in done.stdout, done.stdout + done.stderr)
    box.sh("rm /etc/systemd/system/permitd.service.d/notify-reload.conf && systemctl daemon-reload")
    service.configure(PERMISSIONS + MORE)
    box.sh("systemctl restart permitd")


def restarts(box, service):
    entries = lambda: len(json.loads(box.sh(
        "permitd history --config /etc/permitd/permitd.yaml --output json").stdout)["entries"])
    before = entries()
    service.drop_in("quick", "[Service]\nRestartSec=200ms\nWatchdogSec=3s\n")
    done = box.sh("systemctl restart permitd")
    check("restart, and the journal is kept", done.returncode == 0 and entries() >= before >= 3, before)
    # It pings although there is nothing to do for an hour.
    pid = service.show("MainPID")
    time.sleep(4)
    check("a loop with nothing to do is alive for the watchdog", service.show("MainPID") == pid)
    start = time.monotonic()
    box.sh(f"kill -STOP {pid}")
    again = eventually(lambda: service.show("NRestarts") == "1" and service.show("ActiveState") == "active")
    log = box.sh("journalctl -b --no-pager -o cat | grep -i watchdog").stdout
    check(f"one that is stuck is restarted by the watchdog, {time.monotonic() - start:.1f} s",
          again and "Watchdog timeout" in log and "'watchdog'" in log, log)
    box.sh("systemctl kill -s KILL --kill-whom=main permitd")
    again = eventually(lambda: service.show("NRestarts") == "2" and service.show("ActiveState") == "active")
    check("one that was killed is restarted", again, service.log())
    ok, line = service.status_with("last pass")
    check("and goes on", ok, line)


def misconfigured(box, service):
    service.configure(PERMISSIONS.replace("statements", "statments"))
    done = box.sh("systemctl restart permitd")
    time.sleep(1)
    seen = [service.show(it) for it in ("ActiveState", "SubState", "ExecMainStatus", "NRestarts")]
    check("a wrong configuration ends it with 78, and no restart follows",
          done.returncode != 0 and seen == ["failed", "failed", "78", "0"], (done, seen))
    check("its journal says where it is wrong", "p.yaml:6:5" in service.log(), service.log())
    service.configure(PERMISSIONS)
    check("and once that is mended it starts", box.sh("systemctl start permitd").returncode == 0)


def aws_down(box, service):
    box.sh("systemctl stop fake")
    done = box.sh("systemctl restart permitd")
    ok, line = service.status_with("1 unknown; last pass")
    seen = [service.show("ActiveState"), service.show("NRestarts"), service.http("/livez"), service.http("/readyz")]
    check("without AWS it starts, is live and ready, and knows nothing",
          done.returncode == 0 and ok and seen == ["active", "0", "200", "200"], (line, seen))
    service.configure(PERMISSIONS.split("\n", 1)[1])
    done = box.sh("systemctl restart permitd")
    time.sleep(2)
    seen = [service.show("ActiveState"), service.show("NRestarts"), service.http("/livez"), service.http("/readyz")]
    line = service.status()
    check("without AWS and without `account:` in the files it starts, and says that it waits",
          done.returncode == 0 and seen == ["active", "0", "200", "200"] and
          line.startswith("nothing is managed yet: cannot tell the account"), (line, seen))
    fake(box)
    check("and with AWS back everything is put right", service.has("thumbnail", ["s3-uploads"]), service.log())
    service.configure(PERMISSIONS)


def stops(box, service):
    slow = json.dumps({"faults": [{"operation": "AddPermission", "kind": "delay", "delay_ms": 3000}]})
    box.sh(f"curl -s -X PUT {FAKE}/_simulator/faults -d '{slow}'")
    box.sh(f"curl -s -X DELETE {FAKE}/_simulator/requests")
    service.configure(PERMISSIONS + MORE)
    writing = lambda: "AddPermission" in box.sh(f"curl -s {FAKE}/_simulator/requests").stdout
    check("a changed file is seen without systemctl", eventually(writing), service.log("-n 20"))
    start = time.monotonic()
    done = box.sh("systemctl stop permitd")
    took = time.monotonic() - start
    seen = [service.show(it) for it in ("ActiveState", "Result", "ExecMainStatus")]
    check(f"stop finishes the write in flight ({took:.1f} s) and ends with 0",
          done.returncode == 0 and seen == ["inactive", "success", "0"] and 1 < took < 10 and
          service.sids("invoice") == ["nightly"], (took, seen, service.log("-n 10")))
    history = box.sh("permitd history --config /etc/permitd/permitd.yaml --output json --limit 1").stdout
    entry = json.loads(history)["entries"]
    check("and it is in the journal as done", entry and entry[0]["outcome"] == "done", entry)
    box.sh(f"curl -s -X PUT {FAKE}/_simulator/faults -d '{{}}'")
    box.sh("systemctl start permitd")
    start = time.monotonic()
    box.sh("systemctl stop permitd")
    check(f"with nothing in flight it takes {time.monotonic() - start:.1f} s", time.monotonic() - start < 3)


def uninstalled(box, before):
    (block,) = readme("Uninstall")
    box.sh("systemctl start permitd")
    done = box.sh(f"set -e; {block}")
    left = sorted(it for it in listing(box) - before if it)
    gone = box.sh("systemctl cat permitd; ls /etc/permitd /usr/bin/permitd; pgrep -x permitd")
    check("uninstalled as the README says, nothing is left",
          done.returncode == 0 and not left and gone.stdout == "", (done.stderr, left, gone.stdout))


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else f"{REPO}/target/debug/permitd"
    if not shutil.which("systemd-nspawn"):
        raise Skip("no systemd-nspawn (apt-get install systemd-container)")
    box = Container()
    try:
        state = box.boot()
        check(f"systemd is up ({state})", state == "running",
              box.sh("systemctl --failed --no-legend").stdout)
        service = Service(box)
        before, took = install(box, service, binary)
        if took is None:
            return
        started(service, took)
        confined(box, service)
        spoken_to(box, service)
        logged(service)
        reloads(box, service)
        notify_reload(box, service)
        restarts(box, service)
        misconfigured(box, service)
        aws_down(box, service)
        stops(box, service)
        uninstalled(box, before)
    finally:
        if box.leader and "FAILED" in results and os.environ.get("PERMITD_NSPAWN_LOG"):
            print(box.sh("journalctl --no-pager -o short-precise").stdout)
        box.end()


def in_mounts_of_its_own(main):
    """Runs `main`, and ends with what came of the checks. Whatever becomes of this process, no mount of it is left."""
    try:
        if os.environ.get("PERMITD_NSPAWN_INSIDE") != "1":
            unshare = ["unshare", "--mount", "--propagation", "private"]
            if run(*unshare, "true").returncode:
                raise Skip("needs root, and to be allowed to mount")
            os.environ["PERMITD_NSPAWN_INSIDE"] = "1"
            words = [sys.executable, os.path.abspath(sys.argv[0])] + [os.path.abspath(it) for it in sys.argv[1:]]
            os.execvp("unshare", unshare + words)
        main()
    except Skip as why:
        print(f"SKIPPED: {why}")
        sys.exit(SKIPPED)
    n = results.count("FAILED")
    print(f"{len(results)} checks, {n} failed, {time.monotonic() - START:.0f} s")
    sys.exit(1 if n else 0)


START = time.monotonic()
if __name__ == "__main__":
    in_mounts_of_its_own(main)
