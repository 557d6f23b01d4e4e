#!/usr/bin/env bash
# Builds the program that is shipped, and prints where it is.
#
#   deploy/build.sh static  [CARGO ARGUMENT…]   # needs nothing of the machine it runs on; for containers
#   deploy/build.sh dynamic [CARGO ARGUMENT…]   # needs glibc 2.34 (Debian 12, Ubuntu 22.04, RHEL 9); for packages
#
# The same source, toolchain and CARGO_HOME give the same bytes, wherever the source is (tests/deploy/reproducible.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-static}
shift || true
# Panics name files of dependencies; where this machine keeps them is nobody's business.
flags="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
target=$(rustc -vV | sed -n 's/^host: //p')
# The linker of Rust on x86-64 is lld: equal functions are kept once.
if [ "$target" = x86_64-unknown-linux-gnu ]; then
  flags="$flags -C link-arg=-Wl,--icf=safe,--no-eh-frame-hdr,-T,deploy/no-unwind.ld"
fi
case $kind in
  # glibc has files and DNS built in, and asks nsswitch.conf for nothing else; on a host whose nsswitch.conf names
  # other modules (sss, resolve) take the dynamic one.
  # Relative relocations are packed; a dynamic one would need glibc 2.36 for that.
  static) flags="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs $flags" ;;
  dynamic) ;;
  *) echo "usage: deploy/build.sh static|dynamic [CARGO ARGUMENT…]" >&2; exit 64 ;;
esac
# With --target the flags are not those of build scripts, which crt-static would break. Each kind has a folder of its own.
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/$kind")
RUSTFLAGS="$flags" cargo build --release --locked --bin permitd --target "$target" --target-dir "$folder" "$@" >&2
echo "$folder/$target/release/permitd"
