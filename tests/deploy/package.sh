#!/usr/bin/env bash
# Builds the Debian package, asks lintian, and tries it under systemd (tests/systemd/package.py; 75 where it cannot).
#
#   tests/deploy/package.sh PERMITD      # a dynamic one
set -euo pipefail
cd "$(dirname "$0")/../.."
export PERMITD_BINARY=$1
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
head -1 deploy/debian/changelog | grep -q "^permitd ($version-" ||
  { echo "FAILED   the first entry of deploy/debian/changelog is not of $version"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
newer=$(deploy/debian/build.sh)
if command -v lintian >/dev/null; then
  lintian --fail-on error --suppress-tags initial-upload-closes-no-bugs "$newer"
  echo "ok       lintian has found no error"
else
  echo "SKIPPED: lintian is not here"
fi
cp "$newer" "$work/newer.deb"
cp "$(deploy/debian/build.sh --deb-version "$version~0")" "$work/older.deb"
tests/systemd/package.py "$work/older.deb" "$work/newer.deb"
