#!/usr/bin/env python3
"""The Debian package, for real: installed, started, upgraded, removed and purged by dpkg under systemd as PID 1, in the
container of nspawn.py.

    tests/systemd/package.py OLDER.deb NEWER.deb      # needs root and systemd-nspawn
"""

import json
import os
import shutil
import subprocess
import sys

from nspawn import (FAKE, KEY, PERMISSIONS, SEED, SETTINGS, Container, Service, Skip, check, eventually, fake,
                    in_mounts_of_its_own, listing)

DOC = "/usr/share/doc/permitd"


def version(deb):
    return subprocess.run(["dpkg-deb", "-f", deb, "Version"], capture_output=True, text=True).stdout.strip()


def installed(box, service, older):
    before = listing(box)
    done = box.sh(f"dpkg -i {older}")
    check("it is installed", done.returncode == 0, done.stdout + done.stderr)
    # `systemctl is-enabled` has no other way to say it than its words.
    seen = [box.sh("systemctl is-enabled permitd").stdout.strip(), service.show("ActiveState"), service.show("LoadState")]
    check("the unit is there, and neither enabled nor started", seen == ["disabled", "inactive", "loaded"], seen)
    check("nothing of it runs", box.sh("pgrep -x permitd").stdout == "")
    program = box.sh("permitd --version").stdout.strip()
    check(f"the program is there ({program})", program.startswith("permitd "))
    pages = box.sh("cd /usr/share/man/man1 && ls permitd*.1.gz | wc -l && zcat permitd.1.gz permitd-plan.1.gz | grep -c '^.TH permitd'").stdout.split()
    check(f"{pages[0]} pages of the manual", int(pages[0]) > 15 and pages[1] == "2", pages)
    shells = box.sh("bash -n /usr/share/bash-completion/completions/permitd && ls /usr/share/zsh/vendor-completions/_permitd "
                    "/usr/share/fish/vendor_completions.d/permitd.fish")
    check("completions for bash, zsh and fish", shells.returncode == 0 and len(shells.stdout.split()) == 2, shells.stderr)
    docs = box.sh(f"ls {DOC} && ls {DOC}/examples").stdout.split()
    wanted = {"changelog.Debian.gz", "copyright", "README.Debian", "README.md", "permitd.yaml", "permissions", "drop-ins"}
    check("changelog, copyright, examples", wanted <= set(docs), docs)
    checked = box.sh(f"permitd check --config {DOC}/examples/permitd.yaml")
    check("the example configuration is a good one", checked.returncode == 0, checked.stdout + checked.stderr)
    box.sh("systemctl start permitd")
    check("without a configuration it does not start, and is not tried again",
          eventually(lambda: service.show("ExecMainStatus") == "78") and service.show("NRestarts") == "0")
    box.sh("systemctl reset-failed permitd")
    return before


def started(box, service):
    box.write("/etc/permitd/permitd.yaml", SETTINGS)
    service.configure(PERMISSIONS)
    box.write("/etc/permitd/aws-credentials", f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = secret\n", 0o600)
    box.write("/etc/default/permitd", f"AWS_ENDPOINT_URL={FAKE}\nAWS_REGION=us-east-1\n", 0o600)
    box.write("/root/seed.yaml", json.dumps(SEED))
    # A copy, for the package takes its own away.
    box.sh("cp /usr/bin/permitd /usr/local/bin/fake-lambda")
    fake(box)
    directory = "/etc/systemd/system/permitd.service.d"
    done = box.sh(f"mkdir -p {directory} && cp {DOC}/examples/drop-ins/aws-credentials.conf {directory}/ && "
                  "systemctl daemon-reload && systemctl enable --now permitd")
    check("it is enabled and started as README.Debian says", done.returncode == 0, done.stderr + service.log())
    check("it keeps the policy", service.has("thumbnail", ["s3-uploads"]), service.log())
    score = box.sh("systemd-analyze security permitd --no-pager | tail -1").stdout.split()
    check(f"systemd-analyze security: {' '.join(score[-3:])}", any(it in score for it in ("1.1", "1.2")), score)


def entries(box):
    done = box.sh("permitd history --config /etc/permitd/permitd.yaml --output json")
    return len(json.loads(done.stdout or "{}").get("entries", []))


def upgraded(box, service, older, newer):
    pid, n_entries = service.show("MainPID"), entries(box)
    done = box.sh(f"dpkg -i {newer}")
    again = eventually(lambda: service.show("ActiveState") == "active" and service.show("MainPID") != pid)
    check("an upgrade restarts the one that runs", done.returncode == 0 and again, done.stdout + done.stderr)
    seen = [box.sh("systemctl is-enabled permitd").stdout.strip(), service.show("NRestarts")]
    check("it stays enabled", seen == ["enabled", "0"], seen)
    check("the journal and the configuration are kept", entries(box) == n_entries > 0 and
          box.sh("cat /etc/permitd/permitd.yaml").stdout == SETTINGS, (n_entries, entries(box)))
    box.sh("systemctl disable --now permitd")
    done = box.sh(f"dpkg -i {older} && dpkg -i {newer}")
    seen = [box.sh("systemctl is-enabled permitd").stdout.strip(), service.show("ActiveState")]
    check("one that does not run is neither started nor enabled by an upgrade",
          done.returncode == 0 and seen == ["disabled", "inactive"], (seen, done.stderr))
    box.sh("systemctl enable --now permitd")


def removed(box, service, newer, before):
    done = box.sh("dpkg -r permitd")
    left = box.sh("ls /usr/bin/permitd /usr/lib/systemd/system/permitd.service; pgrep -x permitd").stdout
    check("removed, it is stopped and gone", done.returncode == 0 and left == "", (done.stderr, left))
    kept = box.sh("ls /var/lib/private/permitd/journal.db /etc/permitd/permitd.yaml").stdout.split()
    check("what was done, and what you wrote, is kept", len(kept) == 2, kept)
    box.sh(f"dpkg -i {newer} && systemctl start permitd")
    check("installed again it goes on with its journal", entries(box) > 0 and service.show("ActiveState") == "active")
    done = box.sh("dpkg -P permitd")
    # The administrator's own, and the loopback's copy of the program.
    own = ("/etc/default/permitd", "/etc/systemd/system/permitd.service.d")
    left = sorted(it for it in listing(box) - before if it and not it.startswith(own))
    check("purged, it leaves nothing but what you wrote", done.returncode == 0 and not left and
          box.sh("ls /etc/permitd/permitd.yaml").returncode == 0, (done.stderr, left))
    check("systemd is content", box.sh("systemctl --failed --no-legend").stdout == "")


def main():
    debs = sys.argv[1:]
    if not shutil.which("systemd-nspawn"):
        raise Skip("no systemd-nspawn (apt-get install systemd-container)")
    check(f"{version(debs[0])} is older than {version(debs[1])}",
          subprocess.run(["dpkg", "--compare-versions", version(debs[0]), "lt", version(debs[1])]).returncode == 0)
    box = Container()
    try:
        box.boot()
        # Of an image for containers, whose services are not to be started by packages; this one is no such thing.
        box.sh("rm -f /usr/sbin/policy-rc.d")
        service = Service(box)
        for name, deb in zip(("older", "newer"), debs):
            shutil.copy(deb, box.path(f"/root/{name}.deb"))
        older, newer = "/root/older.deb", "/root/newer.deb"
        before = installed(box, service, older)
        started(box, service)
        upgraded(box, service, older, newer)
        removed(box, service, newer, before)
    finally:
        box.end()


in_mounts_of_its_own(main)
