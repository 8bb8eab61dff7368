"""All measurements of docs/load-tests.md: the plan through NGINX on a whole cluster, and `armazem bench` beside it."""
import contextlib
import os
import statistics
import sys
import tempfile
from pathlib import Path

import tools
from tools import ROOT

sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "bench"), str(ROOT / "tests")]

from cluster import Cluster, StartFailed  # noqa: E402 (the path comes first)
from lib import processes as bench_processes  # noqa: E402
from lib.armazem import Armazem  # noqa: E402
from lib.wrk import Wrk  # noqa: E402
from support.scratch import scratch_directory  # noqa: E402

import page  # noqa: E402

SEED_RATE = 607  # requests per second that the course project published, PUT and GET together
HIGHER_RATE = 2000
PAIRS, PAIR_SECONDS, PAIR_CONNECTIONS, PAIR_KEYS = 5, 5, 64, 10_000


@contextlib.contextmanager
def cluster_of(options):
    """The one of --data, which stays as it is, or an own one on free ports that is gone afterwards."""
    if options.data:
        running = Cluster.load(options.data)
        if running is None:
            raise tools.Failed(f"no cluster was ever started in {options.data}")
        yield running
        return
    with scratch_directory() as directory:
        own = Cluster.make(directory / "data", free_ports=True)
        try:
            own.start()
            yield own
        except StartFailed as failed:
            raise tools.Failed("the cluster did not start: " + "; ".join(map(str, failed.failures))) from None
        finally:
            own.stop(say=lambda line: None)


def through_nginx(cluster, quick, out):
    """The plan, the same shape by `armazem bench`, and two fixed rates."""
    port = cluster.settings.ports.of("nginx")
    url = f"http://127.0.0.1:{port}"
    users, rampup, loops, seconds = (20, 1, 5, 3) if quick else (300, 30, 100, 60)
    parameters = tools.PARAMETERS | {"port": port, "users": users, "rampup": rampup, "loops": loops}
    say(f"JMeter: {users} users, ramp-up {rampup} s, {loops} loops")
    run = tools.jmeter(parameters, out / "jmeter")
    results = {"parameters": parameters, "reasons": run.reasons, "answers": run.answers_text(), "seconds": run.seconds,
               "jmeter": tools.summarise(run, parameters, out / "jmeter")}
    say("armazem bench: the same shape")
    shape = ["--connections", users, "--ramp-up", f"{rampup}s", "--loops", 2 * loops, "--pairs", "--key-prefix", "shape-"]
    results["shape"] = tools.bench(url, *shape, out=out, name="bench-shape", title=f"armazem bench, {users} connections")
    for rate in (SEED_RATE, HIGHER_RATE):
        say(f"armazem bench: {rate} requests/s")
        flags = ["--connections", users, "--rate", rate, "--warm-up", "2s", "--duration", f"{seconds}s", "--pairs", "--key-prefix", "rate-"]
        results[rate] = tools.bench(url, *flags, out=out, name=f"bench-{rate}", title=f"armazem bench, {rate} requests/s")
    return results


def beside_wrk(quick, directory):
    """[(armazem bench, wrk)] in requests per second: GET in a closed loop, one thread, one server of its own."""
    say("armazem bench beside wrk")
    pairs, seconds = (1, 1) if quick else (PAIRS, PAIR_SECONDS)
    with bench_processes.Processes(directory) as processes:
        server = Armazem(processes, tools.ARMAZEM, directory / "single")
        reads = ["--connections", PAIR_CONNECTIONS, "--mix", "get=1", "--keys", PAIR_KEYS, "--key-prefix", "key-"]
        tools.bench(server.base, *reads, "--prefill", "--count", 1)
        wrk = Wrk(processes, 1, PAIR_CONNECTIONS)
        found = []
        for number in range(pairs):
            ours = tools.bench(server.base, *reads, "--duration", f"{seconds}s")
            theirs = wrk.run("get_random.lua", server.base, [PAIR_KEYS, number], seconds)
            if ours["all"]["errors"] or theirs["invalid"]:
                raise tools.Failed(f"beside wrk: {ours['errors']} {theirs['invalid']}")
            found.append((ours["all"]["requests_per_second"], theirs["per_second"]))
    return found


def say(text):
    print(text, file=sys.stderr, flush=True)


def main(options):
    with tempfile.TemporaryDirectory(prefix="armazem-load-") as scratch:
        out = Path(scratch)
        before = os.getloadavg()[0]
        try:
            with cluster_of(options) as cluster:
                results = through_nginx(cluster, options.quick, out)
                choices = cluster.settings.choices
            results["pairs"] = beside_wrk(options.quick, out)
        except bench_processes.Failed as failed:
            raise tools.Failed(str(failed)) from None
        text = page.figures(results, choices, before, out)
        print(text)
        if not options.quick:
            page.write(text, out)
            say("written: docs/load-tests.md, docs/load-tests/")
    failed = results["jmeter"]["all"]["errors"] + sum(results[one]["all"]["errors"] for one in ("shape", SEED_RATE, HIGHER_RATE))
    ratio = statistics.median(ours / theirs for ours, theirs in results["pairs"])
    say(f"{failed} errors; armazem bench {ratio:.2f} of wrk")
    return 1 if failed else 0
