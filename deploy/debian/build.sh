#!/usr/bin/env bash
# Builds the Debian package, and prints where it is. Needs cargo-deb (cargo install cargo-deb --locked).
#
#   deploy/debian/build.sh [CARGO-DEB ARGUMENT…]
#
# PERMITD_BINARY: a permitd that is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-deb >/dev/null || { echo "no cargo-deb: cargo install cargo-deb --locked" >&2; exit 1; }
binary=${PERMITD_BINARY:-$(deploy/build.sh dynamic)}
# What [package.metadata.deb] in Cargo.toml packs.
stage=target/deb
rm -rf "$stage"
mkdir -p "$stage"
install -m 0755 "$binary" "$stage/permitd"
"$stage/permitd" man --out "$stage/man" >&2
"$stage/permitd" completions bash >"$stage/permitd.bash"
"$stage/permitd" completions zsh >"$stage/_permitd"
"$stage/permitd" completions fish >"$stage/permitd.fish"
cargo deb --no-build --no-strip --quiet --output "$stage/" "$@" >&2
ls "$stage"/*.deb
