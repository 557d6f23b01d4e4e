#!/usr/bin/env python3
"""The container image: what is in it, and permitd running in it, under runc and under podman, as the pods of
deploy/kubernetes are run: read-only root, uid 65532, no capabilities, no new privileges.

    tests/deploy/image.py PERMITD      # a static permitd; needs root, buildah, runc, podman, kubectl, PyYAML

The image is built with deploy/container/build.sh. A simulator beside the containers, on loopback, is AWS. Prints a line
a check; exit code 1 if one failed, 75 (SKIPPED) where no container can be run.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
SKIPPED, PATIENCE = 75, 60
VERSION = re.search(r'^version = "(.*)"', open(f"{REPO}/Cargo.toml").read(), re.M).group(1)
IMAGE = f"localhost/permitd:{VERSION}"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
SEED = {"accounts": [{"id": "123456789012", "region": "us-east-1", "functions": [{"name": "thumbnail"}]}]}

n_checks = n_failed = 0


class Skip(Exception):
    pass


def check(name, ok, why=""):
    global n_checks, n_failed
    n_checks, n_failed = n_checks + 1, n_failed + (not ok)
    print(f"{'ok' if ok else 'FAILED':8} {name}{'' if ok else f': {str(why)[-1500:]}'}", flush=True)


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, **more)


def must(*words, **more):
    done = run(*words, **more)
    if done.returncode:
        raise SystemExit(f"FAILED   `{' '.join(words)}`: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout.strip()


def possible(*words):
    """Whether this machine lets containers be made at all; what fails afterwards is ours."""
    done = run(*words)
    if done.returncode:
        raise Skip(f"`{' '.join(words)}` fails here: {(done.stderr or done.stdout).strip()[-400:]}")


def eventually(ask):
    until = time.monotonic() + PATIENCE
    while True:
        res = ask()
        if res or time.monotonic() > until:
            return res
        time.sleep(0.1)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as it:
        return it.code, ""
    except OSError:
        return 0, ""


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Simulator:
    """AWS, outside of the containers."""

    def __init__(self, binary, work):
        with open(f"{work}/seed.yaml", "w") as file:
            json.dump(SEED, file)
        words = [binary, "simulate", "--listen", "127.0.0.1:0", "--seed", f"{work}/seed.yaml"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={})
        self.url = self.process.stdout.readline().strip()

    def sids(self):
        function = json.loads(get(f"{self.url}/_simulator/state")[1])["accounts"][0]["functions"][0]
        return [it["Sid"] for it in (function.get("policy") or {}).get("Statement", [])]

    def end(self):
        self.process.terminate()
        self.process.wait()


def built(binary):
    """Twice, with the same result."""
    environment = {**os.environ, "PERMITD_BINARY": binary, "BUILDER": "buildah"}
    ids = []
    for _ in range(2):
        must(f"{REPO}/deploy/container/build.sh", IMAGE, env=environment)
        ids.append(must("buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", IMAGE))
        must("buildah", "rmi", "--prune")
    check("the same files give the same image", ids[0] == ids[1], ids)
    config = json.loads(must("buildah", "inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    check("it runs permitd as uid 65532", config["User"] == "65532:65532" and
          config["Entrypoint"] == ["/usr/bin/permitd"] and config["Cmd"] == ["run"], config)
    labels = config["Labels"]
    check("it says what it is", labels["org.opencontainers.image.version"] == VERSION and
          labels["org.opencontainers.image.licenses"] == "Apache-2.0", labels)
    return dict(it.split("=", 1) for it in config["Env"])


class Runc:
    """A bundle of the image, run as the container of the pod is."""

    def __init__(self, work, environment):
        self.bundle, self.environment = f"{work}/bundle", environment
        self.container = must("buildah", "from", "--pull-never", IMAGE)
        shutil.copytree(must("buildah", "mount", self.container), f"{self.bundle}/rootfs", symlinks=True)
        must("buildah", "rm", self.container)
        must("runc", "spec", cwd=self.bundle)
        self.spec = json.load(open(f"{self.bundle}/config.json"))
        size = sum(os.path.getsize(f"{at}/{it}") for at, _, names in os.walk(f"{self.bundle}/rootfs") for it in names)
        check(f"its files are {size / 2**20:.1f} MiB", size < 16 * 2**20, size)
        names = sorted(it for it in os.listdir(f"{self.bundle}/rootfs/usr/bin"))
        check("there is nothing to run in it but permitd", names == ["permitd"], names)

    def start(self, name, words, environment, mounts):
        spec = self.spec
        spec["root"] = {"path": "rootfs", "readonly": True}
        process = spec["process"]
        process.update(terminal=False, args=["/usr/bin/permitd", *words], cwd="/", noNewPrivileges=True,
                       user={"uid": 65532, "gid": 65532}, rlimits=[],
                       env=[f"{key}={it}" for key, it in {**self.environment, **environment}.items()])
        process["capabilities"] = {kind: [] for kind in ("bounding", "effective", "permitted")}
        # The host's loopback, where the simulator is.
        spec["linux"]["namespaces"] = [it for it in spec["linux"]["namespaces"] if it["type"] != "network"]
        spec["mounts"] = [it for it in spec["mounts"] if it["destination"] in ("/proc", "/dev")] + mounts
        json.dump(spec, open(f"{self.bundle}/config.json", "w"))
        return subprocess.Popen(["runc", "run", "--bundle", self.bundle, f"permitd-test-{os.getpid()}-{name}"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self, name, process):
        run("runc", "kill", f"permitd-test-{os.getpid()}-{name}", "TERM")
        try:
            said, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            run("runc", "kill", f"permitd-test-{os.getpid()}-{name}", "KILL")
            said, _ = process.communicate()
            return -9, said
        return process.returncode, said


def bind(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": source, "options": ["bind", *options]}


def under_runc(runc, work, simulator):
    start = time.monotonic()
    process = runc.start("version", ["--version"], {}, [])
    said, _ = process.communicate(timeout=60)
    if process.returncode and "permitd" not in said:
        raise Skip(f"runc runs nothing here: {said.strip()[-300:]}")
    check(f"runc: --version, {time.monotonic() - start:.2f} s", said.strip() == f"permitd {VERSION}", said)

    process = runc.start("demo", ["demo"], {}, [])
    said = ""
    while "Ctrl-C ends the demo" not in said:
        line = process.stdout.readline()
        said += line
        if not line:
            break
    page = re.search(r"http://[0-9.:]+/", said)
    status = get(page.group(0))[0] if page else 0
    code, rest = runc.stop("demo", process)
    check("runc: `permitd demo` puts things right and shows its page",
          "functions are as written" in said and status == 200 and code == 0, (status, code, said + rest))

    base = f"{REPO}/deploy/kubernetes/base"
    state, runtime = f"{work}/state", f"{work}/runtime"
    for it in (state, runtime):
        os.mkdir(it)
        os.chown(it, 65532, 65532)
    port = free_port()
    files = [bind(f"{base}/settings", "/etc/permitd/settings", "ro"),
             bind(f"{base}/permissions", "/etc/permitd/permissions", "ro")]
    environment = {**KEYS, "AWS_ENDPOINT_URL": simulator.url, "PERMITD_CONFIG": "/etc/permitd/settings/permitd.yaml"}
    process = runc.start("plan", ["plan", "--detailed-exitcode"], environment, files)
    said, _ = process.communicate(timeout=60)
    check("runc: the dry run of the CronJob tells of drift with 2",
          process.returncode == 2 and "s3-uploads" in said and simulator.sids() == [], (process.returncode, said))

    words = ["run", "--mode", "enforce", "--http-listen", f"127.0.0.1:{port}"]
    process = runc.start("run", words, environment,
                         [*files, bind(state, "/var/lib/permitd"), bind(runtime, "/run/permitd")])
    url = f"http://127.0.0.1:{port}"
    ready = eventually(lambda: get(f"{url}/readyz")[0] == 200 and simulator.sids() == ["s3-uploads"])
    check("runc: `permitd run` is ready, and keeps the policy", ready and get(f"{url}/livez")[0] == 200, simulator.sids())
    status = dict(re.findall(r"^(\w+):\s*(.*)$", open(f"/proc/{child(process)}/status").read(), re.M))
    check("runc: its uid is 65532, without capabilities and new privileges",
          status["Uid"].split()[0] == "65532" and status["NoNewPrivs"] == "1" and
          {status[it] for it in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}, status)
    check(f"runc: it takes {int(status['VmHWM'].split()[0]) / 1024:.1f} MiB", int(status["VmHWM"].split()[0]) < 64 * 1024)
    code, said = runc.stop("run", process)
    kept = os.path.exists(f"{state}/journal.db")
    check("runc: SIGTERM ends it with 0, and the journal is on its volume", code == 0 and kept, (code, kept, said))


def child(process):
    return run("pgrep", "-P", str(process.pid)).stdout.split()[0]


def manifest(work, simulator, port):
    """The overlay `deployment`, with what is different here: the image is local, AWS is the simulator, podman 4 has no
    way to probe an image without a shell."""
    overlay = f"{REPO}/deploy/kubernetes/overlays/deployment"
    docs = list(yaml.safe_load_all(must("kubectl", "kustomize", overlay)))
    (deployment,) = [it for it in docs if it["kind"] == "Deployment"]
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    container["image"], container["imagePullPolicy"] = IMAGE, "Never"
    for it in ("startupProbe", "readinessProbe", "livenessProbe"):
        del container[it]
    here = {**KEYS, "AWS_ENDPOINT_URL": simulator.url, "PERMITD_HTTP_LISTEN": f"127.0.0.1:{port}", "PERMITD_MODE": "enforce"}
    container["env"] = [it for it in container["env"] if it["name"] not in here]
    container["env"] += [{"name": key, "value": it} for key, it in here.items()]
    # With the network of the host there are no ports to map.
    del container["ports"]
    path = f"{work}/deployment.yaml"
    with open(path, "w") as file:
        yaml.safe_dump_all([it for it in docs if it["kind"] in ("ConfigMap", "Deployment")], file)
    return path


def under_podman(work, simulator):
    port = free_port()
    path = manifest(work, simulator, port)
    with open(f"{work}/containers.conf", "w") as file:
        file.write('[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=512:512"]\n'
                   '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n')
    environment = {**os.environ, "CONTAINERS_CONF": f"{work}/containers.conf"}
    # From a folder without a file that is called like the image, which podman would build.
    podman = lambda *words: run("podman", *words, env=environment, cwd=work)
    done = podman("kube", "play", "--network", "host", path)
    name = "podman: the Deployment of deploy/kubernetes"
    try:
        if done.returncode:
            check(f"{name} is played", False, done.stdout + done.stderr)
            return
        url = f"http://127.0.0.1:{port}"
        ready = eventually(lambda: get(f"{url}/readyz")[0] == 200 and simulator.sids() == ["s3-uploads"])
        (pod,) = [it for it in podman("ps", "--format", "{{.Names}}").stdout.split() if it.endswith("-permitd")]
        log = podman("logs", pod)
        check(f"{name} is ready, and keeps the policy", ready, log.stdout + log.stderr)
        check(f"{name} logs JSON", '"pass done"' in log.stdout + log.stderr, (log.stdout + log.stderr)[-600:])
        seen = json.loads(podman("inspect", pod).stdout)[0]
        pid = seen["State"]["Pid"]
        status = dict(re.findall(r"^(\w+):\s*(.*)$", open(f"/proc/{pid}/status").read(), re.M))
        check(f"{name} has uid 65532, no capabilities, no new privileges and a seccomp filter",
              status["Uid"].split()[0] == "65532" and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and
              status["CapEff"] == status["CapBnd"] == "0" * 16, status)
        mounts = [it.split() for it in open(f"/proc/{pid}/mounts")]
        options = {it[1]: it[3].split(",")[0] for it in mounts}
        expected = {"/": "ro", "/etc/permitd/settings": "ro", "/etc/permitd/permissions": "ro",
                    "/var/lib/permitd": "rw", "/run/permitd": "rw"}
        check(f"{name} can write its volumes only", expected.items() <= options.items(), options)
        limit = seen["HostConfig"]["Memory"]
        check(f"{name} has its memory limit", limit == 256 * 2**20, limit)
        said = podman("exec", pod, "permitd", "pause", "thumbnail", "--for", "1h")
        check(f"{name}: `permitd pause` inside reaches the daemon", said.returncode == 0, said.stdout + said.stderr)
        stopped = podman("stop", "-t", "30", pod)
        code = json.loads(podman("inspect", pod).stdout)[0]["State"]["ExitCode"]
        check(f"{name} ends with 0", code == 0 and not stopped.returncode, (code, stopped.stderr))
    finally:
        podman("kube", "down", path)


def main():
    lacking = [it for it in ("buildah", "runc", "podman", "kubectl") if not shutil.which(it)]
    if lacking or os.geteuid():
        raise Skip(f"needs root and {', '.join(lacking or ['nothing else'])}")
    binary = os.path.abspath(sys.argv[1])
    os.environ.update(BUILDAH_ISOLATION="chroot", STORAGE_DRIVER="vfs")
    for tool in ("buildah", "podman"):
        possible(tool, "info")
    with tempfile.TemporaryDirectory(prefix="permitd-image-") as work:
        os.chmod(work, 0o755)
        runc = Runc(work, built(binary))
        for tried in (lambda it: under_runc(runc, work, it), lambda it: under_podman(work, it)):
            simulator = Simulator(binary, work)
            try:
                tried(simulator)
            finally:
                simulator.end()
                for name in ("version", "demo", "plan", "run"):
                    run("runc", "delete", "--force", f"permitd-test-{os.getpid()}-{name}")
        run("buildah", "rmi", IMAGE)


try:
    main()
except Skip as why:
    print(f"SKIPPED: {why}")
    sys.exit(1 if n_failed else SKIPPED)
print(f"{n_checks} checks, {n_failed} failed")
sys.exit(1 if n_failed else 0)
