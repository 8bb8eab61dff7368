#!/usr/bin/env python3
"""Watchers under load: how many events reach them, how late, and what the server spends on it.

    bench/watch.py [--watchers N] [--rate N] [--seconds N] [--url URL…]
    bench/watch.py --document      three runs on the embedded store, written to docs/benchmarks-watch.md

Starts a server of its own on the embedded store, or uses --url (several: a cluster's API servers). Every change must be told once and in order: the run fails if one is not.
"""
import argparse
import copy
import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.server import Server  # noqa: E402
from support.watchers import Watchers, Writers, check  # noqa: E402


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--groups", type=int, default=100, help="prefixes that the watchers and the writes are spread over")
    parser.add_argument("--of-all", type=int, default=5, help="watchers of everything, beside the others")
    parser.add_argument("--rate", type=int, default=1000, help="writes per second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--document", action="store_true")
    parser.add_argument("--url", action="append", help="of a running server; may be given several times")
    return parser.parse_args()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def measure(asked, addresses, pid, directory):
    groups = [f"g{number}" for number in range(asked.groups)]
    prefix = f"watch-bench-{time.time_ns()}"
    each = max(1, asked.watchers // asked.groups)
    before = memory_mib(pid) if pid else 0
    with Watchers(addresses, prefix, groups, each, asked.of_all, directory, seconds=asked.seconds * 3 + 60) as crowd:
        begun = cpu_seconds(pid) if pid else 0
        with Writers(addresses, prefix, groups, asked.rate) as writers:
            time.sleep(asked.seconds)
        spent = (cpu_seconds(pid) - begun) if pid else 0
        memory = memory_mib(pid) if pid else 0
        written = time.monotonic()
        writers.finish()
        summary, kept = crowd.finish()
        behind = time.monotonic() - written
    check(writers, summary, kept)
    changes = sum(map(len, writers.acknowledged.values()))
    watchers = each * asked.groups + asked.of_all
    print(f"{watchers} watchers, {changes / writers.seconds:.0f} changes/s, "
          f"{summary['events'] / writers.seconds:.0f} events/s for {writers.seconds:.0f} s: {summary['events']} told, none lost, "
          f"none doubled; done {behind:.2f} s after the last write")
    if pid:
        print(f"server: {spent / writers.seconds:.2f} cores, {memory - before:.0f} MiB above idle")
    return (f"| {watchers:,} | {changes / writers.seconds:,.0f} | {summary['events'] / writers.seconds:,.0f} | {summary['events']:,} | "
            f"{behind:.1f} s | {spent / writers.seconds:.2f} | {memory - before:.0f} MiB |")


def on_own_server(asked, directory):
    server = Server()
    try:
        server.start()
        return measure(asked, [server.address], server.pid, directory)
    finally:
        server.close()


def document(asked):
    root = Path(__file__).resolve().parent.parent
    rows = []
    for watchers, groups, of_all, rate in ((1000, 100, 5, 1000), (10, 10, 200, 500), (1, 1, 1000, 1000)):
        one = copy.copy(asked)
        one.watchers, one.groups, one.of_all, one.rate = watchers, groups, of_all, rate
        one.seconds = min(asked.seconds, 20 if of_all < 1000 else 10)
        with tempfile.TemporaryDirectory() as directory:
            rows.append(on_own_server(one, directory))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True).stdout.strip()
    lines = "\n".join(rows)
    (root / "docs/benchmarks-watch.md").write_text(f"""# Benchmarks: watches

Written by `bench/watch.py --document` on {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, commit {commit}; do not edit, run it again.

One embedded server; writers and watchers in Python share the machine with it: {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}. In
the first row each watcher watches one of 100 prefixes, in the others nearly all watch everything. Every change was told to every
watcher that it concerns, once and in version order: the run fails otherwise.

| watchers | changes/s | events/s | events told | last one told after the last write | server's cores | server's memory above idle |
| --- | --- | --- | --- | --- | --- | --- |
{lines}

Where the last event is late it is the watching client that has not kept up: its one Python process parses what the server has sent.
The same with kills on a cluster: `tests/e2e/test_watch.py` with `ARMAZEM_WATCHERS=1000 ARMAZEM_WATCH_RATE=1000`.
""")


def main():
    asked = options()
    if asked.document:
        return document(asked)
    with tempfile.TemporaryDirectory() as directory:
        if asked.url:
            addresses = [(parts.hostname, parts.port) for parts in map(urlsplit, asked.url)]
            return measure(asked, addresses, None, directory)
        on_own_server(asked, directory)


if __name__ == "__main__":
    main()
