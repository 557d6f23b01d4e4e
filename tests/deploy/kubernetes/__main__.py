#!/usr/bin/env python3
"""deploy/kubernetes: every overlay, alone and with all components that fit it, rendered, held against the schemas of
the oldest Kubernetes that it is for and of the newest known, and against rules.py. Then broken.py: each breakage has
to be seen by its rule.

    tests/deploy/kubernetes [PERMITD]      # default: target/debug/permitd; needs kubectl and requirements.txt
"""

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.abspath(f"{HERE}/../../..")
KUBERNETES = f"{REPO}/deploy/kubernetes"
sys.path.insert(0, HERE)

import kubernetes_validate
import yaml
from broken import BROKEN, GONE
from rules import RULES, World

# Native sidecars are on by default since then.
OLDEST = "1.29"
NEWEST = kubernetes_validate.latest_version()
FITS = {
    "deployment": ["irsa", "journal-volume", "network-policy", "prometheus", "disruption-budget"],
    "ha": ["network-policy", "pod-identity", "prometheus"],
    "sidecar": ["irsa"],
    "cronjob": ["network-policy", "pod-identity", "report-volume"],
}
# The Prometheus operator's kinds are in no schema of Kubernetes: the fields that are used here, by its API reference.
OPERATOR = {
    "ServiceMonitor": {"jobLabel", "selector", "endpoints", "matchLabels", "port", "path", "interval"},
    "PrometheusRule": {"groups", "name", "rules", "alert", "expr", "for", "labels", "annotations"},
}


class Permitd:
    """What the manifests say of permitd is held against this one."""

    def __init__(self, path):
        self.path = path
        self.version = re.search(r'^version = "(.*)"', open(f"{REPO}/Cargo.toml").read(), re.M).group(1)
        self.paths = set(re.findall(r'"(/[a-z-]*)"', open(f"{REPO}/src/observe/http.rs").read()))
        self.helps = {}

    def help(self, command):
        if command not in self.helps:
            done = subprocess.run([self.path, command, "--help"], capture_output=True, text=True)
            text = done.stdout
            if "PERMITD_LEASE" not in text and "\nkubernetes = " not in open(f"{REPO}/Cargo.toml").read():
                text += " [env: PERMITD_LEASE=]"  # It comes with the feature.
            self.helps[command] = None if done.returncode else text
        return self.helps[command]


def render(wanted, place, name):
    with open(f"{place}/kustomization.yaml", "w") as file:
        yaml.safe_dump(wanted, file)
    done = subprocess.run(["kubectl", "kustomize", place], capture_output=True, text=True)
    # What is deprecated it prints, and still ends well.
    if done.returncode or done.stderr:
        raise SystemExit(f"FAILED   kubectl kustomize {name}: {done.stderr}")
    return list(yaml.safe_load_all(done.stdout))


def rendered(overlay, components=()):
    wanted = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "permitd",
        "resources": [f"../overlays/{overlay}"], "components": [f"../components/{it}" for it in components],
    }
    with tempfile.TemporaryDirectory(dir=KUBERNETES, prefix=".test-") as place:
        return render(wanted, place, f"{overlay} {' '.join(components)}")


def readme():
    """The kustomization that the README tells to begin with, with files of the base for those of its reader."""
    text = open(f"{KUBERNETES}/README.md").read()
    (block,) = [it for it in re.findall(r"```yaml\n(.*?)```", text, re.S) if "kind: Kustomization" in it]
    wanted = yaml.safe_load(block)
    (remote,) = wanted["resources"]
    wanted["resources"] = ["../" + remote.partition("//deploy/kubernetes/")[2]]
    with tempfile.TemporaryDirectory(dir=KUBERNETES, prefix=".test-") as place:
        for name in [it for generator in wanted["configMapGenerator"] for it in generator["files"]]:
            folder = "settings" if name == "permitd.yaml" else "permissions"
            example = "permitd.yaml" if name == "permitd.yaml" else "example.yaml"
            text = open(f"{KUBERNETES}/base/{folder}/{example}").read()
            with open(f"{place}/{name}", "w") as file:
                file.write(text.replace("thumbnail", name.removesuffix(".yaml")))
        return render(wanted, place, "README")


def keys(value):
    if isinstance(value, dict):
        for key, it in value.items():
            yield key
            if key not in ("labels", "annotations", "matchLabels"):
                yield from keys(it)
    elif isinstance(value, list):
        for it in value:
            yield from keys(it)


def against_schemas(docs):
    for doc in docs:
        if doc["kind"] in OPERATOR:
            unknown = set(keys(doc["spec"])) - OPERATOR[doc["kind"]]
            if unknown:
                yield f"schema: {doc['kind']} has no {sorted(unknown)}"
            continue
        for version in (OLDEST, NEWEST):
            try:
                kubernetes_validate.validate(doc, version, strict=True)
            except kubernetes_validate.ValidationError as why:
                yield f"schema: {version}: {doc['kind']}/{doc['metadata']['name']}: {str(why).splitlines()[0]}"


def problems(docs, permitd, only=None):
    if only in (None, "schema"):
        yield from against_schemas(docs)
    world = World(docs, permitd)
    for rule in RULES:
        if only in (None, rule.__name__):
            for it in rule(world):
                yield f"{rule.__name__}: {it}"


def break_it(docs, kind, way, value):
    docs = copy.deepcopy(docs)
    # A ConfigMap with permissions, not that with settings.
    found = [it for it in docs if it["kind"] == kind and "permitd.yaml" not in it.get("data", {})]
    at = found[0]
    *steps, last = [int(it) if it.isdigit() else it for it in way.replace("app.kubernetes.io", "\0").split(".")]
    for step in steps:
        at = at[step] if isinstance(step, int) else at.setdefault(step, {})
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return docs


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else f"{REPO}/target/debug/permitd"
    if not shutil.which("kubectl"):
        print("SKIPPED: no kubectl")
        return 75
    permitd, n_failed, made = Permitd(binary), 0, {}
    for overlay, components in FITS.items():
        for name, more in [(overlay, []), (f"{overlay}+", components)]:
            docs = made[name] = rendered(overlay, more)
            found = list(problems(docs, permitd))
            n_failed += bool(found)
            print(f"{'FAILED' if found else 'ok':8} {overlay} {' '.join(more)} ({len(docs)} objects; {OLDEST}, {NEWEST})")
            for it in found:
                print(f"         {it}")
    docs = made["README"] = readme()
    found = list(problems(docs, permitd))
    (deployment,) = [it for it in docs if it["kind"] == "Deployment"]
    if not deployment["spec"]["template"]["spec"]["containers"][0]["image"].startswith("YOUR-REGISTRY/permitd:"):
        found.append("the image is another one")
    n_failed += bool(found)
    print(f"{'FAILED' if found else 'ok':8} the kustomization of the README {found or ''}")
    used = {it for components in FITS.values() for it in components} | {"lease"}
    if used != set(os.listdir(f"{KUBERNETES}/components")) or set(FITS) != set(os.listdir(f"{KUBERNETES}/overlays")):
        n_failed += 1
        print("FAILED   a component or an overlay is not tried")
    for rule, name, kind, way, value in BROKEN:
        found = list(problems(break_it(made[name], kind, way, value), permitd, rule))
        if not found:
            n_failed += 1
            print(f"FAILED   {rule} does not see {name}: {kind} {way} = {value}")
    unseen = {it.__name__ for it in RULES} - {it[0] for it in BROKEN}
    if unseen:
        n_failed += 1
        print(f"FAILED   nothing breaks {unseen}")
    print(f"{len(made)} renderings, {len(BROKEN)} breakages, {n_failed} failed")
    return 1 if n_failed else 0


sys.exit(main())
