#!/usr/bin/env bash
# Measures whole permitd processes beside a bare aws-sdk-lambda loop, on this machine, in one run.
#
#   benches/process.sh [BENCH_FOLDER]     (default: ../shared/bench, copied to a scratch folder)
#
# Prints CPU seconds, peak memory and request counts; compare ratios of one run, never wall times of two machines.
set -euo pipefail
cd "$(dirname "$0")/.."
scale=$PWD/benches/scale.py
bench=${1:-../shared/bench}
work=${PERMITD_BENCH_DIR:-$(mktemp -d)}
permitd=${PERMITD:-$PWD/target/release/permitd}
[ -x "$permitd" ] || cargo build --release
mkdir -p "$work"
[ -e "$work/bench.py" ] || { cp -r "$bench/." "$work/"; chmod -R u+w "$work"; }
cd "$work"
[ -x fakelambda/target/release/fakelambda ] || cargo build --release --manifest-path fakelambda/Cargo.toml
[ -x floor/target/release/floor-sdk ] || cargo build --release --manifest-path floor/Cargo.toml
export VENV=${VENV:-/usr}
. ./env.sh
./fake.sh start
trap './fake.sh stop' EXIT
python3 gen.py 1000 5 >/dev/null; python3 gen.py 100 5 >/dev/null
export NEWTOOL_CHECK="$permitd plan {case}/permissions.yaml --detailed-exitcode --get-policy-budget unlimited"
export NEWTOOL_APPLY="$permitd apply {case}/permissions.yaml --yes --mode enforce --get-policy-budget unlimited --control-budget unlimited"
echo "== 1,000 functions of 5 statements: W1 in sync, W2 1% drifted (plan), W3 the same (apply)"
python3 bench.py floor-sdk,newtool W1,W2,W3 1000 free "${REPS:-5}"
echo "== from nothing"
python3 bench.py newtool W4 100 free 1
echo "== budget 10/s, 100 functions: at most 3% over 10 s, no 429"
NEWTOOL_CHECK="$permitd plan {case}/permissions.yaml --detailed-exitcode --get-policy-budget 10/s" \
  python3 bench.py newtool W1 100 lim 1
echo "== start-up"
one=$(mktemp -d)/one.yaml
head -n 8 cases/n100m5/permissions.yaml >"$one"
curl -s -X POST "http://127.0.0.1:$PORT/_bench/reset?functions=1&statements=5&seed=full" >/dev/null
python3 - "$permitd" "$one" <<'P'
import subprocess, sys, time
for name, args in (("--version", ["--version"]), ("plan of one function", ["plan", sys.argv[2]])):
    times = []
    for _ in range(20):
        t = time.perf_counter(); subprocess.run([sys.argv[1], *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append((time.perf_counter() - t) * 1000)
    times.sort(); print(f"{name}: median {times[10]:.1f} ms, least {times[0]:.1f} ms")
P
"$scale" "$permitd" --only cpu --floor floor/target/release/floor-sdk --repeat "${REPS:-5}"
