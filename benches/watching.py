#!/usr/bin/env python3
"""What watching 10,000 targets costs: `permitd run` as a process against `permitd simulate`, on this machine.

    benches/watching.py [PERMITD] [--targets N] [--passes N] [--only memory,load,rough] [--budget RATE]

Memory, tasks and descriptors over a day of passes (288); how much a pass is slowed by 50 requests a second and how
long those take; and what slow, huge, garbled and idle clients do to it. Passes with and without are alternated, so
what else the machine does meanwhile is in both. Ends with 1 where a bound that is meant to hold on any machine does not.
Only Python's standard library is used.
"""
import argparse, http.client, json, os, queue, resource, select, signal, socket, statistics, subprocess, sys, tempfile, threading, time

ask = argparse.ArgumentParser()
ask.add_argument("permitd", nargs="?", default="target/release/permitd")
ask.add_argument("--targets", type=int, default=10_000)
ask.add_argument("--statements", type=int, default=2)
ask.add_argument("--passes", type=int, default=288)
ask.add_argument("--seconds", type=float, default=60, help="of load, for each path")
ask.add_argument("--rate", type=float, default=50)
ask.add_argument("--budget", default="unlimited")
ask.add_argument("--paths", default="/livez,/metrics,/,/status")
ask.add_argument("--only", default="memory,load,rough")
asked = ask.parse_args()
permitd = os.path.abspath(asked.permitd)
TICK = os.sysconf("SC_CLK_TCK")
ACCOUNT = "123456789012"
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
       "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
       # As deploy/systemd/permitd.service has it; ARENAS=16 tells what it is without.
       "MALLOC_ARENA_MAX": os.environ.get("ARENAS", "1"), "MIMALLOC_PURGE_DELAY": os.environ.get("PURGE", "0")}
failures = []
try:
    os.nice(-10)  # Whatever else the machine does is not what is measured.
except PermissionError:
    pass


def hold(bound, holds):
    """A bound that does not hang on how fast the machine is."""
    if not holds:
        failures.append(bound)
    return "holds" if holds else "DOES NOT HOLD"


def arn(function):
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"


def statements(function):
    return [(f"sid-{m}", "sns.amazonaws.com", f"arn:aws:sns:us-east-1:{ACCOUNT}:topic-{function}-{m}") for m in range(asked.statements)]


NAMES = [f"f-{i:05d}" for i in range(asked.targets)]


def write_files(room):
    """In a process of its own: a child is counted as at least as large as the one that started it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    def policy(name):
        return {"Version": "2012-10-17", "Id": "default", "Statement": [
            {"Sid": sid, "Effect": "Allow", "Principal": {"Service": who}, "Action": "lambda:InvokeFunction", "Resource": arn(name),
             "Condition": {"ArnLike": {"AWS:SourceArn": src}}} for sid, who, src in statements(name)]}
    with open(f"{room}/seed.json", "w") as out:
        json.dump({"accounts": [{"id": ACCOUNT, "region": "us-east-1",
                                 "functions": [{"name": it, "policy": policy(it)} for it in NAMES]}]}, out)
    os.mkdir(f"{room}/permissions")
    for part in range(0, len(NAMES), 100):
        with open(f"{room}/permissions/{part:05d}.yaml", "w") as out:
            out.write(f"account: '{ACCOUNT}'\nregion: us-east-1\nfunctions:\n")
            for name in NAMES[part:part + 100]:
                out.write(f"  - function: {name}\n    statements:\n")
                for sid, who, src in statements(name):
                    out.write(f"      - sid: {sid}\n        principal: {who}\n        source_arn: {src}\n")
    with open(f"{room}/permitd.yaml", "w") as out:
        out.write("permissions: [permissions/]\nmode: enforce\ninterval: 1s\njitter: 0%\n"
                  f"budgets: {{get_policy: {asked.budget}, control: unlimited}}\nhttp: {{listen: 127.0.0.1:0}}\n")
    os._exit(0)


class Simulator:
    def __init__(self, room):
        self.process = subprocess.Popen([permitd, "simulate", "--seed", f"{room}/seed.json"], env=ENV, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        self.at = http.client.HTTPConnection(self.url.removeprefix("http://"))

    def take_away(self, name):
        """Somebody else removes a statement, which is brought back in the next pass."""
        scope = "AWS4-HMAC-SHA256 Credential=other/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
        self.at.request("DELETE", f"/2015-03-31/functions/{name}/policy/sid-0", headers={"Authorization": scope})
        answer = self.at.getresponse()
        answer.read()
        return answer.status == 204

    def close(self):
        self.process.terminate()
        self.process.wait()


class Daemon:
    """permitd, and every line of its log as it comes."""

    def __init__(self, room, url):
        env = ENV | {"AWS_ENDPOINT_URL": url, "XDG_STATE_HOME": room, "XDG_RUNTIME_DIR": room, "PERMITD_CONFIG": f"{room}/permitd.yaml"}
        self.process = subprocess.Popen([permitd, "run", "--log-format", "json"], env=env, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.pid, self.address, self.lines = self.process.pid, None, queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(self.wait("listening for /livez, /readyz, /metrics and /status")["address"].rsplit(":", 1)[1])

    def _read(self):
        for line in self.process.stderr:
            self.lines.put(line)
        self.lines.put(None)

    def wait(self, message, seconds=300):
        before = []
        while True:
            line = self.lines.get(timeout=seconds)
            if line is None:
                sys.exit("permitd has ended:\n" + "".join(before[-20:]))
            before.append(line)
            said = json.loads(line)
            if said.get("message") == message:
                return said

    def next_pass(self):
        """Until a full pass is through; gives its seconds."""
        while True:
            said = self.wait("pass done")
            if said["trigger"] == "full pass":
                return said["seconds"]

    def cpu(self, thread=None):
        """Seconds so far, of all threads or of one; the loop's has the number of the process."""
        path = f"/proc/{self.pid}/stat" if thread is None else f"/proc/{self.pid}/task/{thread}/stat"
        fields = open(path).read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def status_of(self, key):
        line = next(it for it in open(f"/proc/{self.pid}/status") if it.startswith(key + ":"))
        return int(line.split()[1])

    def figures(self):
        return {"rss": self.status_of("VmRSS") / 1024, "peak": self.status_of("VmHWM") / 1024,
                "threads": self.status_of("Threads"), "descriptors": len(os.listdir(f"/proc/{self.pid}/fd"))}

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def show(figures):
    return (f"RSS {figures['rss']:6.1f} MiB (peak {figures['peak']:6.1f}), {figures['threads']:3} threads, "
            f"{figures['descriptors']:3} descriptors")


def memory(simulator, daemon):
    print(f"== a day of passes: {asked.passes} of {asked.targets:,} targets of {asked.statements} statements; "
          "in each, ten statements that somebody took away")
    daemon.next_pass()
    seen, start = [], time.monotonic()
    for number in range(1, asked.passes + 1):
        for it in range(10):
            simulator.take_away(NAMES[(number * 10 + it) % len(NAMES)])
        daemon.next_pass()
        seen.append(daemon.figures())
        if number in (1, 2, 10, 50, 100, 200, asked.passes):
            print(f"   pass {number:4}: {show(seen[-1])}", flush=True)
    print(f"   {(time.monotonic() - start) / asked.passes:.2f} s a pass")
    early, late = seen[len(seen) // 4: len(seen) // 2], seen[-len(seen) // 4:]
    rss = lambda them: statistics.median(it["rss"] for it in them)
    if len(seen) >= 40:
        growth = rss(late) - rss(early)
        print(f"   RSS, median: second quarter {rss(early):.1f} MiB, last quarter {rss(late):.1f} MiB, growth {growth:+.1f} MiB "
              f"(under 5: {hold('memory is flat', growth < 5)})")
        for what in ("threads", "descriptors"):
            most = lambda them: max(it[what] for it in them)
            print(f"   {what}: {most(early)}, later {most(late)} ({hold(f'no growth of {what}', most(late) <= most(early) + 2)})")
    print(f"   RSS under 100 MiB: {hold('under 100 MiB', rss(late) < 100)}", flush=True)


class Load:
    """A process that asks so many times a second while it is told to, and then says how long it took."""

    def __init__(self, port, path):
        here, there = socket.socketpair()
        self.child = os.fork()
        if self.child == 0:
            here.close()
            try:
                load(there, port, path)
            finally:
                os._exit(0)
        there.close()
        self.here = here

    def on(self):
        self.here.sendall(b"+")

    def off(self):
        self.here.sendall(b"-")

    def close(self):
        self.here.sendall(b".")
        text = b""
        while part := self.here.recv(1 << 20):
            text += part
        os.waitpid(self.child, 0)
        return json.loads(text)


def load(told, port, path):
    jobs, times, wrong, sizes, WORKERS = queue.Queue(), [], [], set(), 16
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def work():
        room, at = memoryview(bytearray(1 << 20)), None
        while (due := jobs.get()) is not None:
            for attempt in (1, 2):
                kept = at is not None
                try:
                    at = at or socket.create_connection(("127.0.0.1", port))
                    at.sendall(request)
                    head = bytearray()
                    while (end := head.find(b"\r\n\r\n")) < 0:
                        part = at.recv(65536)
                        if not part:
                            raise OSError("closed")
                        head += part
                    lines = bytes(head[:end]).lower().split(b"\r\n")
                    length = next(int(it.split(b":")[1]) for it in lines if it.startswith(b"content-length:"))
                    left = length - (len(head) - end - 4)
                    while left > 0:
                        got = at.recv_into(room)
                        if got == 0:
                            raise OSError("closed")
                        left -= got
                    times.append(time.monotonic() - due)
                    sizes.add(length)
                    if b" 200 " not in lines[0]:
                        wrong.append(lines[0].decode())
                    break
                except OSError as error:
                    at = None
                    # One that was kept open is closed after ten idle seconds, or after two minutes: as clients do,
                    # it is asked again.
                    if not kept or attempt == 2:
                        wrong.append(str(error))
                        break

    workers = [threading.Thread(target=work) for _ in range(WORKERS)]
    for it in workers:
        it.start()
    on, due = False, 0.0
    while True:
        wait = max(0.0, due - time.monotonic()) if on else None
        if select.select([told], [], [], wait)[0]:
            word = told.recv(1)
            if word in (b".", b""):
                break
            on, due = word == b"+", time.monotonic()
        elif on:
            jobs.put(due)
            due += 1 / asked.rate
    for _ in workers:
        jobs.put(None)
    for it in workers:
        it.join()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told.sendall(json.dumps({"times": times, "wrong": wrong, "sizes": sorted(sizes), "cpu": usage.ru_utime + usage.ru_stime}).encode())
    told.close()


def quantile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def load_on(daemon, path):
    """Passes with and without, in turns, until there was enough of both."""
    client, spent = Load(daemon.port, path), 0.0
    walls, loops, whole = ([], []), ([], []), ([], [])
    daemon.next_pass()
    while spent < asked.seconds:
        for on in (0, 1):
            client.on() if on else client.off()
            daemon.next_pass()  # The one in which it changed counts for neither.
            before = daemon.cpu(daemon.pid), daemon.cpu(), time.monotonic()
            walls[on].append(daemon.next_pass())
            loops[on].append(daemon.cpu(daemon.pid) - before[0])
            whole[on].append((daemon.cpu() - before[1]) / (time.monotonic() - before[2]))
            if on:
                spent += 2 * walls[on][-1]
    client.off()
    said = client.close()
    times = [1000 * it for it in said["times"]]
    slowed = lambda of: 100 * (statistics.median(of[1]) / statistics.median(of[0]) - 1)
    print(f"   {path:9} {len(times):5} answers of {max(said['sizes']) / 1024:7.1f} KiB, {len(said['wrong'])} failed: median "
          f"{statistics.median(times):5.1f} ms, p99 {quantile(times, 0.99):6.1f} ms, longest {max(times):6.1f} ms; {len(walls[0])}+{len(walls[1])} passes: "
          f"{statistics.median(walls[0]):.2f} s, {slowed(walls):+.1f}% with it; CPU of the loop {slowed(loops):+.1f}%; "
          f"CPU of permitd {100 * statistics.median(whole[0]):.0f}% -> {100 * statistics.median(whole[1]):.0f}%", flush=True)
    if said["wrong"]:
        print("     ", sorted(set(said["wrong"]))[:5])


def loads(daemon):
    print(f"== {asked.rate:.0f} requests a second while passes run (budget: {asked.budget}), each for {asked.seconds:.0f} s")
    for path in asked.paths.split(","):
        load_on(daemon, path)
    print(f"   afterwards: {show(daemon.figures())}")


def rough(daemon):
    """Everything at once that nobody who means well does."""
    print("== 300 idle connections, heads that never end, huge ones, garbage, and clients that do not take their answer")
    daemon.next_pass()
    before = daemon.figures()
    without = [daemon.next_pass() for _ in range(5)]
    kept, codes = [], {}
    def dial(data=b""):
        at = socket.socket()
        at.settimeout(30)
        at.connect(("127.0.0.1", daemon.port))
        try:
            at.sendall(data)
        except OSError:
            pass
        kept.append(at)
        return at
    for _ in range(40):
        dial(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")  # Never reads.
    for _ in range(300):
        dial()
    for _ in range(50):
        dial(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        dial(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")
        dial(os.urandom(4096))
    passes = [daemon.next_pass() for _ in range(5)]
    during = daemon.figures()
    start = time.monotonic()
    at = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    at.request("GET", "/livez")
    answer = at.getresponse()
    waited = time.monotonic() - start
    for it in kept:
        it.close()
    at.close()
    daemon.next_pass()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and daemon.figures()["descriptors"] > before["descriptors"]:
        daemon.next_pass()
    after = daemon.figures()
    median = statistics.median
    print(f"   before: {show(before)}\n   during: {show(during)}\n   after:  {show(after)}")
    print(f"   a pass: {median(without):.2f} s, {100 * (median(passes) / median(without) - 1):+.1f}% meanwhile; "
          f"/livez beside {len(kept)} connections: {answer.status} after {waited:.1f} s")
    print(f"   at most 128 connections at once: {hold('connections are bounded', during['descriptors'] <= before['descriptors'] + 128)}; "
          f"descriptors are given back: {hold('descriptors are given back', after['descriptors'] <= before['descriptors'])}; "
          f"answered: {hold('answered beside them', answer.status == 200)}", flush=True)


with tempfile.TemporaryDirectory() as room:
    write_files(room)
    simulator = Simulator(room)
    try:
        daemon = Daemon(room, simulator.url)
        try:
            parts = asked.only.split(",")
            daemon.next_pass()
            print(f"after the first pass: {show(daemon.figures())}", flush=True)
            if "memory" in parts:
                memory(simulator, daemon)
            if "load" in parts:
                loads(daemon)
            if "rough" in parts:
                rough(daemon)
        finally:
            code = daemon.close()
        if code != 0:
            failures.append(f"exit code {code}")
    finally:
        simulator.close()
if failures:
    sys.exit("does not hold: " + ", ".join(failures))
