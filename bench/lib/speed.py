"""GET against NGINX and webdis; durable PUT against etcd and against the store without HTTP."""
from lib import payload, peers, rounds
from lib.armazem import Armazem, StoreBench
from lib.rounds import Contestant
from lib.say import say

KEY_NUMBERS = 10 ** 8  # key-%08d
# wrk needs a core of its own: on two cores a server may do better with one loop than with the default of one per core.
# Every server is measured both ways where it has the choice, and compared at its best.
LOOPS = (("", "one loop per core", ()), ("-1", "one loop", ("--threads", "1")))


def calibrate_threads(bench):
    """wrk with 1 or with 2 threads, whichever gets more out of NGINX: the client must not be what is measured."""
    if bench.threads_wanted != "auto":
        return int(bench.threads_wanted), f"{bench.threads_wanted}, as asked"
    if not bench.wants("nginx"):
        return 2, "2, NGINX is not there to try"
    server = peers.Nginx(bench.processes, bench.directory("nginx-calibration"))
    best = {1: 0, 2: 0}
    for _ in range(2):
        for threads in best:
            got = bench.wrk.run("get_fixed.lua", server.url, seconds=max(1, bench.seconds // 2), threads=threads)
            best[threads] = max(best[threads], got["per_second"])
    bench.processes.stop(server.process)
    chosen = max(best, key=best.get)
    return chosen, f"{chosen} (NGINX with 1: {best[1]:,.0f}/s, with 2: {best[2]:,.0f}/s)"


def get(bench):
    contestants = []

    def enter(key, label, server):
        contestants.append(Contestant(
            key, label, server.groups,
            measure=lambda number: bench.wrk.run("get_fixed.lua", server.url, seconds=bench.seconds),
            warm_up=lambda: bench.wrk.diagnose("get_fixed.lua", server.url)))
        return server

    if bench.wants("armazem"):
        for suffix, label, extra in LOOPS:
            server = Armazem(bench.processes, bench.binary, bench.directory("get"), extra)
            enter(f"armazem{suffix}", f"Armazém GET, {label}", server).seed()
    if bench.wants("nginx"):
        for suffix, label, workers in (("", "one worker per core", "auto"), ("-1", "one worker", 1)):
            server = peers.Nginx(bench.processes, bench.directory("nginx"), workers)
            enter(f"nginx{suffix}", f"NGINX return 200, {label}", server)
    if bench.wants("webdis"):
        enter("webdis", "webdis on Redis", peers.Webdis(bench.processes, bench.directory("webdis")))
    return _finish(bench, contestants, "GET of a 100-byte value, one key")


def put(bench):
    contestants = []
    span = 200_000 * bench.seconds  # keys per thread and run: more than any run uses up
    per_run = span * bench.wrk.threads

    def enter(key, label, server, script, url, value):
        def args(number):
            return [number % (KEY_NUMBERS // per_run) * per_run, span, value]

        contestants.append(Contestant(
            key, label, server.groups,
            measure=lambda number: bench.wrk.run(script, url, args(number + 1), bench.seconds),
            warm_up=lambda: bench.wrk.diagnose(script, url, args(0))))

    ours = []
    if bench.wants("armazem"):
        for suffix, label, extra in LOOPS:
            server = Armazem(bench.processes, bench.binary, bench.directory("put"), extra)
            enter(f"armazem{suffix}", f"Armazém durable PUT, {label}", server, "put.lua", server.base, payload.VALUE)
            ours.append(server)
    if bench.wants("rocksdb"):
        store = StoreBench(bench.processes, bench.store_bench, bench.directory("store"))
        if ours:
            contestants.append(Contestant("rocksdb", "batches of the same size without HTTP", [],
                                          lambda number: store.write(1, bench.seconds, max(map(Armazem.mean_batch, ours)))))
        contestants.append(Contestant("writers", f"{bench.wrk.connections} writers without HTTP", [],
                                      lambda number: store.write(bench.wrk.connections, bench.seconds)))
    if bench.wants("etcd"):
        server = peers.Etcd(bench.processes, bench.directory("etcd"))
        enter("etcd", "etcd JSON gateway", server, "etcd_put.lua", server.url, payload.VALUE_BASE64)
    return _finish(bench, contestants, "durable PUT of a 100-byte value, distinct keys")


def _finish(bench, contestants, title):
    if not contestants:
        return None
    say(f"{title}: wrk -t{bench.wrk.threads} -c{bench.wrk.connections}, {bench.rounds} rounds of {bench.seconds} s")
    try:
        return {"contestants": rounds.run(contestants, bench.rounds)}
    finally:
        bench.processes.stop_all()
