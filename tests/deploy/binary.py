#!/usr/bin/env python3
"""What is shipped is stripped, under 14 MiB, needs what it says, and starts quickly.

    tests/deploy/binary.py static|dynamic PERMITD
"""

import os
import re
import statistics
import subprocess
import sys
import time

LARGEST = 14 * 2**20
NEWEST_GLIBC = (2, 34)
# About 10 ms on a machine that does nothing else; this one may be busy.
SLOWEST = 0.1

kind, path = sys.argv[1:]
readelf = lambda *words: subprocess.run(["readelf", "-W", *words, path], capture_output=True, text=True, check=True).stdout
wrong = []

size = os.path.getsize(path)
if size >= LARGEST:
    wrong.append(f"{size} bytes, {LARGEST} at most")
if re.search(r"\.(symtab|debug_info)\b", readelf("-S")):
    wrong.append("not stripped")
segments, needed = readelf("-l"), re.findall(r"NEEDED.*\[(.*)\]", readelf("-d"))
if kind == "static" and ("INTERP" in segments or needed):
    wrong.append(f"not static: {needed}")
if kind == "dynamic":
    versions = {tuple(map(int, it.split("."))) for it in re.findall(r"GLIBC_([0-9.]+)", readelf("-V"))}
    if max(versions) > NEWEST_GLIBC or not all(re.match(r"(libc|libm|libgcc_s|ld-linux.*)\.so", it) for it in needed):
        wrong.append(f"needs {needed} and glibc {max(versions)}")
if "/.cargo/" in subprocess.run(["strings", path], capture_output=True, text=True, errors="replace").stdout.replace("/cargo/", ""):
    wrong.append("it tells where it was built")
if "GNU_STACK" not in segments or re.search(r"GNU_STACK.*E\b", segments) or "GNU_RELRO" not in segments:
    wrong.append("a stack that can be executed, or tables that can be written")


def started():
    start = time.perf_counter()
    subprocess.run([path, "--version"], check=True, stdout=subprocess.DEVNULL, env={})
    return time.perf_counter() - start


times = sorted(started() for _ in range(30))
if times[0] > SLOWEST:
    wrong.append(f"starts in {times[0] * 1000:.0f} ms")
print(f"{'FAILED' if wrong else 'ok':8} {kind}: {size / 2**20:.2f} MiB, starts in {times[0] * 1000:.1f} ms "
      f"(median {statistics.median(times) * 1000:.1f}) {'; '.join(wrong)}")
sys.exit(bool(wrong))
