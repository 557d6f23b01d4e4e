#!/usr/bin/env bash
# Builds the container image, with what is there: buildah, podman or docker (or $BUILDER).
#
#   deploy/container/build.sh [IMAGE]      # default: localhost/permitd:VERSION
#
# PERMITD_BINARY: a static permitd that is there already. CA_BUNDLE: other roots than this machine's.
set -euo pipefail
cd "$(dirname "$0")"
repository=$(cd ../.. && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$repository/Cargo.toml" | head -1)
image=${1:-localhost/permitd:$version}
roots=${CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}
[ -s "$roots" ] || { echo "no CA roots at $roots: install ca-certificates, or set CA_BUNDLE" >&2; exit 1; }

binary=${PERMITD_BINARY:-}
if [ -z "$binary" ]; then
  features=()
  # Leases (`--lease`).
  if grep -q '^kubernetes = ' "$repository/Cargo.toml"; then features=(--features kubernetes); fi
  binary=$("$repository/deploy/build.sh" static "${features[@]}")
fi

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/etc/ssl/certs" "$context/state"
install -m 0755 "$binary" "$context/permitd"
install -m 0644 "$roots" "$context/etc/ssl/certs/ca-certificates.crt"
install -m 0644 "$repository/LICENSE" "$context/LICENSE"
echo 'permitd:x:65532:65532::/nonexistent:/sbin/nologin' >"$context/etc/passwd"
echo 'permitd:x:65532:' >"$context/etc/group"
# The first thing that glibc looks for when it resolves a name.
echo 'hosts: files dns' >"$context/etc/nsswitch.conf"
chmod -R u=rwX,go=rX "$context"

builder=${BUILDER:-}
for it in buildah podman docker; do
  [ -n "$builder" ] || ! command -v "$it" >/dev/null || builder=$it
done
[ -n "$builder" ] || { echo "neither buildah nor podman nor docker is here" >&2; exit 1; }
# The same files give the same image.
words=(build --build-arg "VERSION=$version" --build-arg "REVISION=${REVISION:-unknown}" -f Containerfile -t "$image")
case $builder in
  *docker) SOURCE_DATE_EPOCH=0 "$builder" "${words[@]}" "$context" >&2 ;;
  *) "$builder" "${words[@]}" --timestamp 0 "$context" >&2 ;;
esac
echo "$image: $(stat -c %s "$binary") bytes of permitd, $(stat -c %s "$roots") bytes of CA roots" >&2
echo "$image"
