"""What the schemas of Kubernetes do not see. Each rule gets everything that one rendering made, and says what is wrong."""

import os
import re
import subprocess
import tempfile

RULES = []
# Fields whose values are a closed set; the schemas have them as strings.
ENUMS = {
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "unhealthyPodEvictionPolicy": {"IfHealthyBudget", "AlwaysAllow"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "operator": {"In", "NotIn", "Exists", "DoesNotExist"},
    "action": {"FailJob", "FailIndex", "Ignore", "Count"},
    "medium": {"", "Memory"},
    "accessModes": {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"},
    "policyTypes": {"Ingress", "Egress"},
    "verbs": {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"},
}
# Pod Security Standards, restricted.
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HOST = ("hostNetwork", "hostPID", "hostIPC")
EXIT_CODES = {1, 2, 3, 64, 78, 130, 143}
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def rule(function):
    RULES.append(function)
    return function


class Pod:
    """The template of one workload."""

    def __init__(self, of):
        self.of = of
        self.name = f"{of['kind']}/{of['metadata']['name']}"
        self.template = of["spec"]["jobTemplate"]["spec"]["template"] if of["kind"] == "CronJob" else of["spec"]["template"]
        self.spec = self.template["spec"]
        self.labels = self.template["metadata"].get("labels", {})
        self.volumes = {it["name"]: it for it in self.spec.get("volumes", [])}

    def containers(self):
        return self.spec.get("initContainers", []) + self.spec["containers"]

    def sidecars(self):
        return [it for it in self.spec.get("initContainers", []) if "restartPolicy" in it]

    def permitd(self):
        """The containers of permitd, with what their variables are."""
        for it in self.containers():
            if it["name"] == "permitd":
                yield it, {var["name"]: var.get("value", "") for var in it.get("env", [])}

    def runs(self):
        return any(it["args"][0] == "run" for it, _ in self.permitd())


class World:
    """Everything that one rendering made, and the permitd that is meant by it."""

    def __init__(self, docs, permitd):
        self.docs, self.permitd = docs, permitd

    def all(self, kind):
        return [it for it in self.docs if it["kind"] == kind]

    def names(self, kind):
        return {it["metadata"]["name"] for it in self.all(kind)}

    def pods(self):
        return [Pod(it) for it in self.docs if it["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")]


def walk(value, way=""):
    """Every key with its value and the way to it."""
    if isinstance(value, dict):
        for key, it in value.items():
            yield f"{way}.{key}", key, it
            yield from walk(it, f"{way}.{key}")
    elif isinstance(value, list):
        for n, it in enumerate(value):
            yield from walk(it, f"{way}[{n}]")


def fits(selector, labels):
    wanted = (selector or {}).get("matchLabels", selector or {})
    return bool(wanted) and all(labels.get(key) == it for key, it in wanted.items())


@rule
def restricted(world):
    """Pod Security `restricted`, exactly."""
    for pod in world.pods():
        spec, own = pod.spec, pod.spec.get("securityContext", {})
        for it in HOST:
            if spec.get(it):
                yield f"{pod.name}: {it}"
        for volume in pod.volumes.values():
            kinds = set(volume) - {"name"}
            if len(kinds) != 1 or not kinds <= VOLUMES:
                yield f"{pod.name}: volume {volume['name']} is {sorted(kinds)}"
        if own.get("sysctls"):
            yield f"{pod.name}: sysctls"
        for it in pod.containers():
            where, its = f"{pod.name}/{it['name']}", it.get("securityContext", {})
            either = lambda key: its.get(key, own.get(key))
            if its.get("privileged") or its.get("procMount", "Default") != "Default":
                yield f"{where}: privileged"
            if its.get("allowPrivilegeEscalation") is not False:
                yield f"{where}: allowPrivilegeEscalation"
            if either("runAsNonRoot") is not True or own.get("runAsUser") == 0 or not either("runAsUser"):
                yield f"{where}: may run as root"
            if (either("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
                yield f"{where}: no seccomp profile"
            capabilities = its.get("capabilities", {})
            if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
                yield f"{where}: capabilities {capabilities}"
            if any(port.get("hostPort") for port in it.get("ports", [])):
                yield f"{where}: hostPort"
            if either("seLinuxOptions") or either("appArmorProfile") or either("windowsOptions"):
                yield f"{where}: a profile that is not the usual one"


@rule
def hardened(world):
    """What restricted does not ask for, and these pods have."""
    for pod in world.pods():
        if pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod.name}: enableServiceLinks"
        if pod.spec.get("serviceAccountName") != "permitd":
            yield f"{pod.name}: another service account"
        for it in pod.containers():
            where, resources = f"{pod.name}/{it['name']}", it.get("resources", {})
            if it.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
                yield f"{where}: its root can be written"
            if set(resources.get("requests", {})) != {"cpu", "memory"}:
                yield f"{where}: requests {resources.get('requests')}"
            if set(resources.get("limits", {})) != {"memory"}:
                yield f"{where}: limits {resources.get('limits')}"
            if any("subPath" in mount or "subPathExpr" in mount for mount in it.get("volumeMounts", [])):
                yield f"{where}: what is mounted with subPath never changes"
        for volume in pod.volumes.values():
            if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
                yield f"{pod.name}: volume {volume['name']} has no sizeLimit"


@rule
def enums(world):
    """Values of closed sets, and where they may stand."""
    for doc in world.docs:
        for way, key, value in walk(doc):
            for it in value if isinstance(value, list) else [value]:
                if key in ENUMS and isinstance(it, str) and it not in ENUMS[key]:
                    yield f"{doc['kind']}{way}: {it}"
    for pod in world.pods():
        allowed = {"CronJob": {"Never", "OnFailure"}, "Job": {"Never", "OnFailure"}}.get(pod.of["kind"], {"Always"})
        if pod.spec.get("restartPolicy", "Always") not in allowed:
            yield f"{pod.name}: restartPolicy {pod.spec.get('restartPolicy', 'Always')}"
        for it in pod.spec["containers"]:
            if "restartPolicy" in it:
                yield f"{pod.name}/{it['name']}: only an initContainer has a restartPolicy of its own"
        if any(it["restartPolicy"] != "Always" for it in pod.sidecars()):
            yield f"{pod.name}: a sidecar restarts Always"
        strategy = pod.of["spec"].get("strategy", {})
        if pod.of["kind"] == "Deployment" and strategy.get("type", "RollingUpdate") not in ("Recreate", "RollingUpdate"):
            yield f"{pod.name}: strategy {strategy}"
        if strategy.get("type") == "Recreate" and "rollingUpdate" in strategy:
            yield f"{pod.name}: rollingUpdate beside Recreate"


@rule
def selectors(world):
    """What selects, selects something."""
    pods = world.pods()
    for pod in pods:
        if pod.of["kind"] == "Deployment" and not fits(pod.of["spec"]["selector"], pod.labels):
            yield f"{pod.name}: its selector does not fit its own template"
        for it in pod.spec.get("topologySpreadConstraints", []):
            if not fits(it["labelSelector"], pod.labels):
                yield f"{pod.name}: spreads others"
    for kind, key in [("Service", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")]:
        for it in world.all(kind):
            if not any(fits(it["spec"][key], pod.labels) for pod in pods):
                yield f"{kind}/{it['metadata']['name']} selects nothing"
    for it in world.all("ServiceMonitor"):
        services = [s for s in world.all("Service") if fits(it["spec"]["selector"], s["metadata"].get("labels", {}))]
        ports = {port["name"] for s in services for port in s["spec"]["ports"]}
        if not services or any(e["port"] not in ports for e in it["spec"]["endpoints"]):
            yield "ServiceMonitor: no such service, or no such port"
        # The alerts and the dashboard ask for job="permitd".
        if any(s["metadata"]["labels"].get(it["spec"].get("jobLabel")) != "permitd" for s in services):
            yield "ServiceMonitor: the job is not called permitd"


@rule
def ports(world):
    """Ports that are named exist, and permitd listens there and serves these paths."""
    for pod in world.pods():
        taken = []
        for it in pod.containers():
            names = {port["name"]: port["containerPort"] for port in it.get("ports", [])}
            taken += names.items()
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                get = it.get(probe, {}).get("httpGet")
                if get and get["port"] not in [*names, *names.values()]:
                    yield f"{pod.name}/{it['name']}: {probe} asks port {get['port']}"
                if get and it["name"] == "permitd" and get["path"] not in world.permitd.paths:
                    yield f"{pod.name}/{it['name']}: {probe} asks for {get['path']}"
        if len({name for name, _ in taken}) < len(taken) or len({port for _, port in taken}) < len(taken):
            yield f"{pod.name}: a port twice"
        for it, variables in pod.permitd():
            listen = variables.get("PERMITD_HTTP_LISTEN", "")
            if pod.runs() and (not listen.startswith("0.0.0.0:") or
                               int(listen.rpartition(":")[2]) not in [p["containerPort"] for p in it["ports"]]):
                yield f"{pod.name}/{it['name']}: listens at {listen}"
    for service in world.all("Service"):
        for pod in world.pods():
            names = {port["name"] for it in pod.containers() for port in it.get("ports", [])}
            if fits(service["spec"]["selector"], pod.labels) and \
                    any(port["targetPort"] not in names for port in service["spec"]["ports"]):
                yield f"Service/{service['metadata']['name']}: no such port in {pod.name}"
    for monitor in world.all("ServiceMonitor"):
        if any(it.get("path") not in world.permitd.paths for it in monitor["spec"]["endpoints"]):
            yield "ServiceMonitor: no such path"


@rule
def probes(world):
    """A daemon is watched, and is given the time to end."""
    for pod in world.pods():
        if not pod.runs():
            continue
        for it, _ in pod.permitd():
            if it.get("livenessProbe", {}).get("httpGet", {}).get("path") != "/livez":
                yield f"{pod.name}: liveness is /livez, which does not depend on AWS"
            if it.get("startupProbe", {}).get("httpGet", {}).get("path") != "/readyz":
                yield f"{pod.name}: it has started once it is ready"
        if pod.spec.get("terminationGracePeriodSeconds", 30) < 45:
            yield f"{pod.name}: no time for a write in flight"
        for it in pod.sidecars():
            if "startupProbe" not in it:
                yield f"{pod.name}/{it['name']}: nobody waits for a sidecar without startupProbe"


@rule
def references(world):
    """What is named is there, and what is there is used."""
    used = set()
    for pod in world.pods():
        mounted = {it["name"] for c in pod.containers() for it in c.get("volumeMounts", [])}
        if mounted != set(pod.volumes):
            yield f"{pod.name}: volumes and mounts differ in {sorted(mounted ^ set(pod.volumes))}"
        for it in pod.volumes.values():
            name = it.get("configMap", {}).get("name") if "configMap" in it else None
            used.add(name)
            if name and name not in world.names("ConfigMap"):
                yield f"{pod.name}: no ConfigMap {name}"
            claim = it.get("persistentVolumeClaim", {}).get("claimName")
            if claim and claim not in world.names("PersistentVolumeClaim"):
                yield f"{pod.name}: no claim {claim}"
        if pod.spec.get("serviceAccountName") not in world.names("ServiceAccount"):
            yield f"{pod.name}: no such service account"
        for it in pod.containers():
            known = set()
            for var in it.get("env", []):
                for name in re.findall(r"\$\((\w+)\)", var.get("value", "")):
                    if name not in known:
                        yield f"{pod.name}/{it['name']}: {var['name']} needs {name} before it"
                known.add(var["name"])
    for name in world.names("ConfigMap") - used:
        yield f"ConfigMap/{name}: used by nobody"
    for binding in world.all("RoleBinding"):
        if binding["roleRef"]["name"] not in world.names("Role"):
            yield "RoleBinding: no such role"
        for it in binding["subjects"]:
            accounts = [(a["metadata"]["name"], a["metadata"]["namespace"]) for a in world.all("ServiceAccount")]
            if (it["name"], it.get("namespace")) not in accounts:
                yield f"RoleBinding: no such subject {it}"


@rule
def namespaces(world):
    """Everything is in one namespace, which lets in nothing that is not restricted."""
    (space,) = world.all("Namespace")
    if space["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
        yield "the namespace does not enforce restricted"
    seen = set()
    for doc in world.docs:
        key = (doc["kind"], doc["metadata"]["name"])
        if key in seen:
            yield f"{key} twice"
        seen.add(key)
        if doc["kind"] not in CLUSTER_WIDE and doc["metadata"].get("namespace") != space["metadata"]["name"]:
            yield f"{key} is in {doc['metadata'].get('namespace')}"


@rule
def images(world):
    """Images have versions, and that of permitd is this one."""
    for pod in world.pods():
        for it in pod.containers():
            name, _, tag = it["image"].rpartition(":")
            if not name or "/" in tag or tag == "latest":
                yield f"{pod.name}/{it['name']}: {it['image']}"
            elif it["name"] == "permitd" and tag != world.permitd.version:
                yield f"{pod.name}: {it['image']} is not {world.permitd.version}"


@rule
def command_line(world):
    """permitd takes these arguments and variables, and its files."""
    for pod in world.pods():
        for it, variables in pod.permitd():
            command, *rest = it["args"]
            usage = world.permitd.help(command)
            if usage is None:
                yield f"{pod.name}: no command {command}"
                continue
            for word in rest:
                flag = word.split("=")[0]
                if flag.startswith("-") and not re.search(rf"(^|[\s,]){flag}[\s,=]", usage):
                    yield f"{pod.name}: `permitd {command}` has no {flag}"
            for name in variables:
                if name.startswith("PERMITD_") and f"[env: {name}=" not in usage:
                    yield f"{pod.name}: `permitd {command}` knows no {name}"
            yield from checked(world, pod, it, variables)


def checked(world, pod, container, variables):
    """The files as the container sees them, through `permitd check`."""
    maps = {it["metadata"]["name"]: it["data"] for it in world.all("ConfigMap")}
    with tempfile.TemporaryDirectory() as root:
        for mount in container.get("volumeMounts", []):
            data = maps.get(pod.volumes.get(mount["name"], {}).get("configMap", {}).get("name"), {})
            os.makedirs(root + mount["mountPath"], exist_ok=True)
            for name, text in data.items():
                with open(f"{root}{mount['mountPath']}/{name}", "w") as file:
                    file.write(text)
        settings = root + variables.get("PERMITD_CONFIG", "/none")
        # Files that come from elsewhere, as with git-sync, are not here.
        given = [it for it in container["args"][1:] if it.startswith("/")]
        files = []
        if given:
            files = [f"{root}/given.yaml"]
            with open(files[0], "w") as file:
                file.write("functions: []\n")
            if not all(any(it.startswith(m["mountPath"] + "/") for m in container["volumeMounts"]) for it in given):
                yield f"{pod.name}: {given} is on no volume"
        done = subprocess.run([world.permitd.path, "check", "--config", settings, *files], capture_output=True, text=True)
        # 78 is also what an empty list of functions ends with.
        if done.returncode != 0 and not (given and "no function" in done.stderr):
            yield f"{pod.name}: {done.stdout}{done.stderr}"
        for name in ("PERMITD_JOURNAL", "PERMITD_CONTROL", "PERMITD_REPORT"):
            for place in filter(None, variables.get(name, "").split(",")):
                if not any(place.startswith(m["mountPath"] + "/") and not m.get("readOnly") for m in container["volumeMounts"]):
                    yield f"{pod.name}: {name} is on no volume that can be written"


@rule
def one_writer(world):
    """One replica, or a Lease; the role for it, and nothing else."""
    rights = [it for role in world.all("Role") for it in role["rules"]]
    if world.all("ClusterRole") or world.all("ClusterRoleBinding"):
        yield "nothing is needed of the whole cluster"
    leases = set()
    for pod in world.pods():
        for _, variables in pod.permitd():
            lease = variables.get("PERMITD_LEASE")
            if lease:
                leases.add(lease.partition("/")[2])
            replicas = pod.of["spec"].get("replicas", 1)
            if pod.runs() and replicas > 1 and not lease:
                yield f"{pod.name}: {replicas} replicas without a lease"
            if pod.runs() and not lease and pod.of["spec"].get("strategy", {}).get("type") != "Recreate":
                yield f"{pod.name}: two of them while it is updated"
            if replicas > 1 and any("persistentVolumeClaim" in it for it in pod.volumes.values()):
                yield f"{pod.name}: a journal has one writer"
            if pod.spec.get("automountServiceAccountToken") is not bool(lease):
                yield f"{pod.name}: a token of the API server is for the lease, and only for that"
            if lease and "POD_NAME" not in variables:
                yield f"{pod.name}: the holder has no name"
    wanted = [] if not leases else [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": sorted(leases), "verbs": ["get", "update"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    ]
    if rights != wanted:
        yield f"rights {rights}"
    if bool(world.all("RoleBinding")) != bool(leases):
        yield "no binding for the lease"


@rule
def jobs(world):
    """A job ends, and what fails is not tried again for nothing."""
    for it in world.all("CronJob"):
        name, job = it["metadata"]["name"], it["spec"]["jobTemplate"]["spec"]
        if not re.fullmatch(r"([\d*/,-]+ ){4}[\d*/,-]+", it["spec"]["schedule"]):
            yield f"{name}: schedule {it['spec']['schedule']}"
        if "activeDeadlineSeconds" not in job or it["spec"].get("concurrencyPolicy") != "Forbid":
            yield f"{name}: may run for ever, or twice at once"
        policy = job.get("podFailurePolicy", {}).get("rules", [])
        if policy and job["template"]["spec"]["restartPolicy"] != "Never":
            yield f"{name}: a podFailurePolicy needs restartPolicy Never"
        containers = {c["name"] for c in job["template"]["spec"]["containers"]}
        for codes in (it["onExitCodes"] for it in policy):
            if codes.get("containerName", "permitd") not in containers or not set(codes["values"]) <= EXIT_CODES - {1}:
                yield f"{name}: {codes}"


@rule
def network(world):
    """The policy keeps away everybody but Prometheus, and lets out what permitd needs."""
    for it in world.all("NetworkPolicy"):
        spec = it["spec"]
        if set(spec["policyTypes"]) != {"Ingress", "Egress"}:
            yield "one way is open"
        if any(not rule.get("from") or not rule.get("ports") for rule in spec.get("ingress", [])):
            yield "everybody may ask for the page"
        out = [(port.get("protocol"), port.get("port")) for rule in spec.get("egress", []) for port in rule.get("ports", [])]
        if any(not rule.get("ports") for rule in spec.get("egress", [])):
            yield "everything may be reached"
        if not {("UDP", 53), ("TCP", 53), ("TCP", 443)} <= set(out):
            yield f"no names, or no HTTPS: {out}"
        leases = any("PERMITD_LEASE" in variables for pod in world.pods() for _, variables in pod.permitd())
        if leases and ("TCP", 6443) not in out:
            yield "the API server cannot be reached"
