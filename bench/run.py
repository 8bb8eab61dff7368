#!/usr/bin/env python3
"""Measures Armazém beside its peers on this machine and writes the report; bench/run.sh installs what it needs first.

Exit code: 0 every target that was judged is met; 1 something could not be measured, or not validly; 3 a target is missed.
"""
import argparse
import datetime
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import footprint, machine, peers, report, scale, speed, targets
from lib.connections import raise_file_limit
from lib.processes import Failed, Processes
from lib.say import say
from lib.wrk import Wrk

ROOT = Path(__file__).resolve().parents[1]
SUITES = {"get": speed.get, "put": speed.put, "memory": footprint.memory, "idle": footprint.idle, "keys": scale.keys}
CONTESTANTS = ("armazem", "nginx", "webdis", "etcd", "rocksdb")
# A suite without one of these would measure nothing.
SUITE_CONTESTANTS = {"get": {"armazem", "nginx", "webdis"}, "put": {"armazem", "etcd", "rocksdb"},
                     "memory": {"armazem"}, "idle": {"armazem"}, "keys": {"armazem"}}
PACKAGES = ("wrk", "nginx", "redis-server", "webdis", "etcd-server")
QUICK = {"rounds": 1, "seconds": 1, "keys_large": 100_000, "keys_warm_up": 1, "idle_seconds": 1}


class Bench:
    """What every measurement may use: the options, the processes, the scratch directory."""

    def __init__(self, options, processes, scratch, file_limit):
        self.processes, self.scratch, self.file_limit = processes, scratch, file_limit
        self.suites, self.contestants = split_names(options.only)
        self.threads_wanted = options.threads
        self.rounds, self.seconds = options.rounds, options.seconds
        self.keys_large, self.keys_warm_up, self.block_cache = options.keys_large, options.keys_warm_up, options.block_cache
        self.memory_connections, self.idle_connections = 1_000, 10_000
        self.idle_seconds = options.idle_seconds
        self.binary, self.store_bench = options.armazem, options.store_bench
        self.wrk = Wrk(processes, 2, options.connections)

    def wants(self, contestant):
        return contestant in self.contestants

    def wanted_suites(self):
        return [name for name in SUITES if name in self.suites and SUITE_CONTESTANTS[name] & self.contestants]

    def directory(self, name):
        """A fresh path in the scratch directory; who uses it makes it."""
        path = self.scratch / name
        while path.exists():
            path = path.with_name(path.name + "-again")
        return path

    def free_bytes(self):
        return shutil.disk_usage(self.scratch).free


def split_names(only):
    """--only mixes suites and contestants; a kind that is not mentioned is wanted whole."""
    names = set(only)
    suites, contestants = names & set(SUITES), names & set(CONTESTANTS)
    return suites or set(SUITES), contestants or set(CONTESTANTS)


def names_list(text):
    names = [name for name in text.split(",") if name]
    unknown = set(names) - set(SUITES) - set(CONTESTANTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; "
                                         f"measurements: {', '.join(SUITES)}; contestants: {', '.join(CONTESTANTS)}")
    return names


def at_least_one(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1, not {text!r}")
    return int(text)


def cache_size(text):
    if not re.fullmatch(r"[1-9]\d*([KMG]iB)?", text):
        raise argparse.ArgumentTypeError(f"a size like 512MiB or 3GiB, not {text!r}")
    return text


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/run.sh", description="Measures Armazém beside NGINX, webdis on Redis, etcd and its own store without HTTP.")
    parser.add_argument("--rounds", type=at_least_one, default=3, metavar="N", help="interleaved rounds (3)")
    parser.add_argument("--seconds", type=at_least_one, default=5, metavar="S", help="length of each measurement (5)")
    parser.add_argument("--connections", type=at_least_one, default=64, metavar="N", help="of wrk, and writers of the store (64)")
    parser.add_argument("--threads", choices=("1", "2", "auto"), default="auto", help="of wrk; auto: what NGINX is faster with")
    parser.add_argument("--only", type=names_list, default=[], metavar="NAME,…",
                        help=f"measurements ({', '.join(SUITES)}) and contestants ({', '.join(CONTESTANTS)})")
    parser.add_argument("--keys-large", type=at_least_one, default=10_000_000, metavar="N", help="keys of the large store (10000000)")
    parser.add_argument("--keys-warm-up", type=at_least_one, default=20, metavar="S", help="before random GETs, per server (20)")
    parser.add_argument("--block-cache", type=cache_size, default="3GiB", metavar="SIZE", help="of the second run over many keys (3GiB)")
    parser.add_argument("--idle-seconds", type=at_least_one, default=10, metavar="S", help="idle connections are held (10)")
    parser.add_argument("--quick", action="store_true", help="1 round of 1 s, 100,000 keys: does it work at all?")
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="the report (docs/benchmarks.md; with --quick or --only build/bench/benchmarks.md)")
    parser.add_argument("--armazem", type=Path, default=ROOT / "build/release/bin/armazem", metavar="FILE", help="the server")
    parser.add_argument("--store-bench", type=Path, default=ROOT / "build/release/bin/armazem_store_bench", metavar="FILE",
                        help="the store without HTTP")
    parser.add_argument("--directory", type=Path, metavar="DIR",
                        help="where the temporary data goes (build/bench); a real disk, or PUT means nothing")
    parser.add_argument("--time-limit", type=at_least_one, default=3600, metavar="S", help="gives up after so long (3600)")
    parser.add_argument("--install-only", action="store_true", help="stops after the packages")  # read by run.sh
    options = parser.parse_args(arguments)
    if options.quick:
        vars(options).update(QUICK)
    if options.connections < 2:
        parser.error("--connections must be at least 2")
    return options


def check_programs(bench):
    """Says all that is missing before anything is started."""
    needs = {"nginx": ["nginx"], "webdis": ["webdis", "redis-server"], "etcd": ["etcd"],
             "armazem": [bench.binary], "rocksdb": [bench.store_bench]}
    wanted = {contestant for suite in bench.wanted_suites() for contestant in SUITE_CONTESTANTS[suite] & bench.contestants}
    if "keys" in bench.wanted_suites():
        wanted.add("rocksdb")  # it loads the keys
    programs = ["wrk", *(program for contestant in sorted(wanted) for program in needs[contestant])]
    missing = [str(program) for program in programs if not shutil.which(program)]
    if missing:
        raise Failed(f"missing: {', '.join(missing)} (bench/run.sh installs packages; "
                     "cmake --preset release && cmake --build --preset release builds ours)")
    return sorted(wanted)


def without_folders(argument):
    """The report is committed: it tells nothing of how this machine's folders are called."""
    option, equals, value = argument.rpartition("=")
    return f"{option}{equals}…/{Path(value).name}" if value.startswith("/") else argument


def run_facts(bench, options, arguments, used, threads):
    facts = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["bench/run.sh", *map(without_folders, arguments)]), "quick": options.quick,
        "rounds": bench.rounds, "seconds": bench.seconds, "connections": bench.wrk.connections, "threads": threads,
        "peers": used, "machine": machine.describe(bench.scratch), "in_memory": machine.in_memory_file_system(bench.scratch),
        "versions": machine.versions(PACKAGES), "serve": "armazem serve --port 0 --data DIR --log-format json",
    }
    if "armazem" in used:
        printed = subprocess.run([bench.binary, "--version"], capture_output=True, text=True, timeout=20).stdout.strip()
        facts["versions"] = {"armazem": printed.splitlines()[0] if printed else "unknown", **facts["versions"]}
    return facts


def print_facts(facts):
    for kind in ("machine", "versions"):
        for name, value in facts[kind].items():
            say(f"{name}: {value}")
    say(f"wrk threads: {facts['threads']}")
    for name, peer in (("nginx", peers.Nginx), ("webdis", peers.Webdis), ("etcd", peers.Etcd)):
        for title, text in peer.settings.items() if name in facts["peers"] else ():
            say(f"--- {title}\n{text.rstrip()}")
    say("---")


def measure(bench, options, arguments):
    used = check_programs(bench)
    bench.wrk.threads, threads = speed.calibrate_threads(bench)
    results = {"run": run_facts(bench, options, arguments, used, threads)}
    print_facts(results["run"])
    for name in bench.wanted_suites():
        try:
            results[name] = SUITES[name](bench)
        except (Failed, OSError) as error:
            results[name] = {"failed": str(error) or type(error).__name__}
            say(f"  !!! {name} NOT MEASURED: {results[name]['failed']}")
            bench.processes.stop_all()
    return results


def keep_raw(results):
    """build/ is git-ignored: raw figures are for looking closer, not for keeping."""
    folder = ROOT / "build/bench/results"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False), "utf-8")
    return path


def conclude(results, out):
    report.write(out, results)
    say(f"raw figures: {shown(keep_raw(results))}\nreport: {shown(out)}\n")
    rows = targets.judge(results)
    words = {True: "met", False: "NOT MET", None: "NOT MEASURED"}
    for row in rows:
        say(f"{words[row['met']]:13}{row['name']}: {row['figure'].splitlines()[0]} (target {row['bound']})")
    broken = any("failed" in suite for suite in results.values()) or any(row["met"] is None for row in rows)
    invalid = any(entry["invalid"] for suite in results.values() for part in (suite, *suite.get("runs", []))
                  for entry in part.get("contestants", {}).values())
    if broken or invalid:
        return 1
    return 3 if any(row["met"] is False for row in rows) else 0


def shown(path):
    return os.path.relpath(path)


def stop_on_signals(time_limit):
    def stop(number, _frame):
        raise SystemExit(f"stopped by {signal.Signals(number).name}" if number != signal.SIGALRM
                         else f"gave up after {time_limit} s (--time-limit)")

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us with SIGINT ignored
    signal.alarm(time_limit)


def main(arguments):
    options = parse(arguments)
    partial = options.quick or options.only
    out = options.out or ROOT / ("build/bench/benchmarks.md" if partial else "docs/benchmarks.md")
    place = options.directory or ROOT / "build/bench"
    place.mkdir(parents=True, exist_ok=True)
    stop_on_signals(options.time_limit)
    file_limit = raise_file_limit(2 * 10_000)
    try:
        with tempfile.TemporaryDirectory(prefix="run-", dir=place) as scratch, Processes(Path(scratch)) as processes:
            results = measure(Bench(options, processes, Path(scratch), file_limit), options, arguments)
            return conclude(results, out)
    except Failed as failure:
        say(f"bench: {failure}")
        return 1
    except KeyboardInterrupt:
        say("bench: interrupted; everything it started is stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
