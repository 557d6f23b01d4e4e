#!/usr/bin/env bash
# systemd's own judgement of the unit and its drop-ins: nothing to complain about, and hardly anything exposed.
set -euo pipefail
cd "$(dirname "$0")/../../deploy/systemd"
version=$(systemd-analyze --version | sed -n 's/^systemd \([0-9]*\).*/\1/p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

judge() { # DROP-IN...
  rm -rf "${work:?}"/* && mkdir -p "$work/permitd.service.d"
  # It complains where the program is not installed.
  sed 's|^ExecStart=/usr/bin/permitd |ExecStart=/bin/true |' permitd.service >"$work/permitd.service"
  local it said
  for it in "$@"; do cp "drop-ins/$it" "$work/permitd.service.d/"; done
  # What it cannot parse it prints, and still ends well.
  said=$(systemd-analyze verify "$work/permitd.service" 2>&1) || { echo "$said"; return 1; }
  [ -z "$said" ] || { echo "$said"; return 1; }
  systemd-analyze security --offline=true --threshold=12 --no-pager "$work/permitd.service" >"$work/score" ||
    { cat "$work/score"; return 1; }
  echo "permitd.service${*:+ with $*}: $(tail -1 "$work/score")"
}

judge
judge aws-credentials.conf
if [ "$version" -ge 253 ]; then
  judge notify-reload.conf
else
  echo "SKIPPED: notify-reload.conf (systemd $version; it needs 253)"
fi
