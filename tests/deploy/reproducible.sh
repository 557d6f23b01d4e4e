#!/usr/bin/env bash
# permitd's own code, built twice in two places, gives the same bytes. What it depends on is built once.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$PWD/target CARGO_TERM_COLOR=never
sums=()
for place in one a/second/place/with/a/longer/name; do
  mkdir -p "$work/$place"
  git ls-files -z | tar --null --files-from=- -c | tar -x -C "$work/$place"
  # Nothing of the other build is taken for this one.
  (cd "$work/$place" && cargo clean --quiet --release -p permitd --target "$(rustc -vV | sed -n 's/^host: //p')" --target-dir "$CARGO_TARGET_DIR/static")
  binary=$("$work/$place/deploy/build.sh" static 2>"$work/log") || { cat "$work/log"; exit 1; }
  grep -q "Compiling permitd v.* ($work/$place)" "$work/log" || { echo "FAILED   it was not built in $place"; cat "$work/log"; exit 1; }
  sums+=("$(sha256sum <"$binary")")
  if strings -n 8 "$binary" | grep -F "$work"; then echo "FAILED   it tells where it was built"; exit 1; fi
done
echo "${sums[0]}"
[ "${sums[0]}" = "${sums[1]}" ] || { echo "FAILED   ${sums[1]}"; exit 1; }
echo "ok       built twice, the same bytes"
