#!/usr/bin/env python3
"""The native cluster under load, through NGINX, beside the limits of its tiers measured in the same run.

    bench/cluster.py [--data DIR] [--quick]

Starts a cluster of its own (or uses the running one of --data), writes docs/benchmarks-cluster.md. About two minutes.
"""
import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from cluster import Cluster, rabbitmq, redis  # noqa: E402 (the path comes first)
from support.client import Client  # noqa: E402
from support.metrics import fetch_metrics  # noqa: E402

BIN = ROOT / "build/release/bin"
KEYS, VALUE_BYTES, CONNECTIONS, ROUND_SECONDS = 20_000, 100, 300, 15
SEED = {"PUT": 304, "GET": 304}  # requests per second that the course project published for itself


def run(*command, seconds=120):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARMAZEM_")}
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=seconds, env=environment)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed with exit code {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def wrk(url, pause, seconds, connections=CONNECTIONS):
    text = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", ROOT / "bench/wrk/mix.lua",
               url, "--", KEYS, VALUE_BYTES, pause, seconds=seconds + 60)
    result = json.loads(re.search(r"RESULT (\{.*\})", text)[1])
    result["per_second"] = result["requests"] / (result["duration_us"] / 1e6)
    result["percentiles"] = dict(re.findall(r"^\s+(50|75|90|99)%\s+(\S+)$", text, re.M))
    wrong = {name: count for name, count in result["errors"].items() if count}
    wrong |= {name: count for name, count in result["classes"].items() if name != "2xx"}
    result["wrong"] = wrong
    return result


def histogram(addresses, family, **labels):
    """{bound: cumulative count}, summed over the processes."""
    total = {}
    for address in addresses:
        for (name, have), count in fetch_metrics(address).samples.items():
            have = dict(have)
            if name == family + "_bucket" and all(have.get(key) == value for key, value in labels.items()):
                total[float(have["le"])] = total.get(float(have["le"]), 0) + count
    return total


def difference(after, before):
    return {bound: count - before.get(bound, 0) for bound, count in sorted(after.items())}


def quantile(buckets, share):
    """Seconds, by straight lines within a bucket; None without observations."""
    total = max(buckets.values(), default=0)
    if not total:
        return None
    below_bound, below = 0.0, 0
    for bound, count in sorted(buckets.items()):
        if count >= share * total:
            if bound == float("inf"):
                return below_bound
            return below_bound + (bound - below_bound) * (share * total - below) / max(count - below, 1)
        below_bound, below = bound, count
    return below_bound


def ms(seconds):
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def fill(address):
    """Every key exists before anything is measured, so that no GET is a 404."""
    client = Client(address)
    value = b"v" * VALUE_BYTES
    missing = [n for n in range(1, KEYS + 1)]
    per_client = 400
    import concurrent.futures

    def some(numbers):
        own = Client(address)
        for n in numbers:
            own.put(f"mix-{n}", value)
        own.close()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(some, [missing[i:i + per_client] for i in range(0, KEYS, per_client)]))
    client.close()


def tier_limits(cluster, quick):
    """The same adapters without HTTP, on the same servers."""
    seconds = 1 if quick else 3
    settings = cluster.settings
    admin = rabbitmq.url(settings, "armazem-admin")
    sql = cluster.tiers["sql"].url()
    rows = []

    def last_line(text):
        return text.strip().splitlines()[-1].strip()
    for window in (1, 64, 512):
        rows.append((f"queue: confirmed messages, {window} unconfirmed",
                     last_line(run(BIN / "armazem_queue_bench", "--url", admin, "--window", window, "--seconds", seconds))))
    rows.append(("queue: 4 messages of 64 writes at once",
                 last_line(run(BIN / "armazem_queue_bench", "--url", admin, "--window", 4, "--mutations", 64, "--seconds", seconds))))
    rows.append(("queue: publish, consume, reply, 64 at once",
                 last_line(run(BIN / "armazem_queue_bench", "--url", admin, "--mode", "round-trip", "--window", 64, "--seconds", seconds))))
    for batch, parallel in ((1, 1), (16, 4), (128, 4)):
        rows.append((f"store: rows, batches of {batch}, {parallel} at once",
                     last_line(run(BIN / "armazem_postgres_bench", "--url", sql, "--batch", batch, "--parallel", parallel, "--seconds", seconds))))
    rows.append(("store: gets, 64 at once", last_line(run(BIN / "armazem_postgres_bench", "--url", sql, "--parallel", 64, "--seconds", seconds))))
    for mode in ("get", "put"):
        rows.append((f"cache: {mode}s, 64 at once",
                     last_line(run(BIN / "armazem_redis_bench", "--url", redis.url(settings), "--mode", mode, "--callers", 64, "--seconds", seconds))))
    return rows


def measure(cluster, quick):
    ports = cluster.settings.ports
    url = f"http://127.0.0.1:{ports.of('nginx')}"
    apis = [("127.0.0.1", ports.of("api", n)) for n in range(1, cluster.settings.choices.apis + 1)]
    workers = [("127.0.0.1", ports.of("worker", n)) for n in range(1, cluster.settings.choices.workers + 1)]
    print("filling", flush=True)
    fill(("127.0.0.1", ports.of("nginx")))
    wrk(url, 0, 2 if quick else 5)  # warm
    rounds = []
    for number in range(1 if quick else 3):
        before = {m: histogram(apis, "armazem_http_request_duration_seconds", method=m, route="/store/{key}") for m in SEED}
        result = wrk(url, 0, 2 if quick else ROUND_SECONDS)
        after = {m: histogram(apis, "armazem_http_request_duration_seconds", method=m, route="/store/{key}") for m in SEED}
        result["methods"] = {m: difference(after[m], before[m]) for m in SEED}
        print(f"round {number + 1}: {result['per_second']:.0f} requests/s, wrong: {result['wrong'] or 'none'}", flush=True)
        rounds.append(result)
    rounds.sort(key=lambda r: r["per_second"])
    full = rounds[len(rounds) // 2]
    # Half of it: a pause before each request of each connection.
    pause = max(0, round(CONNECTIONS / (full["per_second"] / 2) * 1000 - 15))
    before = histogram(workers, "armazem_worker_delay_seconds")
    half = wrk(url, pause, 3 if quick else 15)
    half["delay"] = difference(histogram(workers, "armazem_worker_delay_seconds"), before)
    print(f"half load: {half['per_second']:.0f} requests/s, delay p50 {ms(quantile(half['delay'], 0.5))}, p99 {ms(quantile(half['delay'], 0.99))}")
    return rounds, full, half


def report(cluster, rounds, full, half, limits):
    each = full["per_second"] / 2
    versions = {"nginx": run("nginx", "-v").strip().rpartition("/")[2], "redis": run("redis-server", "--version").split("v=")[1].split()[0],
                "haproxy": run("haproxy", "-v").split()[2]}
    lines = [
        "# The native cluster under load", "",
        f"Measured on {datetime.date.today()} by `bench/cluster.py`: {os.cpu_count()} cores, {platform.system()} {platform.release()}; "
        f"{run(BIN / 'armazem', '--version').strip()}; NGINX {versions['nginx']}, HAProxy {versions['haproxy']}, Redis {versions['redis']} (3 + 3), "
        f"RabbitMQ (3), PostgreSQL (1), {cluster.settings.choices.apis} API processes, {cluster.settings.choices.workers} workers, and wrk, "
        "all on the same cores. Absolute figures say more about the machine than about the program; the limits below are from the same run.", "",
        f"## Half PUT, half GET, {CONNECTIONS} connections, {sum(r['requests'] for r in rounds):,} requests through NGINX", "",
        f"{KEYS:,} keys, values of {VALUE_BYTES} bytes; every PUT is confirmed by the queue, applied by a worker, and in the cache before it is answered.", "",
        "| | requests | requests/s | errors | p50 | p75 | p90 | p99 | p99.9 | max |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for number, r in enumerate(rounds, 1):
        p = r["percentiles"]
        lines.append(f"| round {number}, slowest first | {r['requests']:,} | {r['per_second']:,.0f} | {r['wrong'] or 0} | {p['50']} | {p['75']} | {p['90']} | {p['99']} | "
                     f"{r['p999_us'] / 1000:.0f}ms | {r['max_us'] / 1000:.0f}ms |")
    lines += ["", f"Median: {each:,.0f} PUT/s and {each:,.0f} GET/s, {each / SEED['PUT']:.1f} and {each / SEED['GET']:.1f} times what the "
              f"course project that this one follows published for itself ({SEED['PUT']}/s each).", "",
              "By method, as the API processes measured it (headers complete to answer):", "",
              "| | p50 | p90 | p99 | p99.9 |", "| --- | --- | --- | --- | --- |"]
    for method, buckets in full["methods"].items():
        lines.append(f"| {method} | " + " | ".join(ms(quantile(buckets, share)) for share in (0.5, 0.9, 0.99, 0.999)) + " |")
    delay = half["delay"]
    lines += ["", "## From a write's stamp to its being applied, at half that load", "",
              f"{half['per_second']:,.0f} requests/s, errors: {half['wrong'] or 0}. From the stamp in the API to the commit and the cache, over "
              f"{int(max(delay.values(), default=0)):,} writes: p50 {ms(quantile(delay, 0.5))}, p90 {ms(quantile(delay, 0.9))}, "
              f"p99 {ms(quantile(delay, 0.99))}, p99.9 {ms(quantile(delay, 0.999))} (targets: 20 ms and 100 ms).", "",
              "## What the tiers can do by themselves, same servers, same run", "",
              "The project's own adapters without HTTP; the last line of each program.", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {text} |" for name, text in limits]
    lines.append("")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="directory of a cluster that runs already")
    parser.add_argument("--quick", action="store_true", help="does it work here at all? The figures mean nothing, nothing is written")
    options = parser.parse_args()
    own = None
    if options.data:
        cluster = Cluster.load(options.data)
    else:
        own = Path(tempfile.mkdtemp(prefix="armazem-bench-"))
        own.chmod(0o711)
        cluster = Cluster.make(own / "data", free_ports=True)
    try:
        if own:
            cluster.start()
        rounds, full, half = measure(cluster, options.quick)
        limits = tier_limits(cluster, options.quick)
        text = report(cluster, rounds, full, half, limits)
    finally:
        if own:
            cluster.stop(say=lambda line: None)
            shutil.rmtree(own, ignore_errors=True)
    print(text)
    if not options.quick:
        (ROOT / "docs/benchmarks-cluster.md").write_text(text)
    return 1 if full["wrong"] or half["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
