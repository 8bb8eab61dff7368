"""Memory with 1,000 connections, and 10,000 connections that mostly do nothing."""
import time

from lib import payload
from lib.armazem import Armazem
from lib.connections import Crowd
from lib.processes import Failed
from lib.say import say

SPARE_FILES = 200


def memory(bench):
    """Default settings; each connection does one PUT and one GET and stays open while the memory is read."""
    count = bench.memory_connections
    _need_files(bench, count)
    say(f"memory with {count:,} connections")
    server = Armazem(bench.processes, bench.binary, bench.directory("memory"))
    try:
        result = {"connections": count, "before": _look(server)}
        with Crowd(server.port, count) as crowd:
            for method, body in (("PUT", payload.VALUE.encode()), ("GET", b"")):
                good, complaints = crowd.ask_all(method, "/store/memory-{}", body)
                if good != count:
                    raise Failed(f"{count - good} of {count} connections failed at {method}: {complaints}")
            time.sleep(1)
            result["connected"] = _look(server)
        server.seed()
        result["under_load"] = _under_load(bench, server, count)
        for name in ("before", "connected", "under_load"):
            say(f"  {name:11} {result[name]['rss_bytes'] / 2**20:7.1f} MiB resident, "
                f"{result[name]['beyond_cache_bytes'] / 2**20:7.1f} MiB beyond the block cache")
        return result
    finally:
        bench.processes.stop_all()


def _under_load(bench, server, count):
    """Not judged, but the honest companion: the same number of connections, all of them busy with GETs."""
    load = bench.wrk.run("get_fixed.lua", server.url, seconds=bench.seconds, connections=count)
    if load["invalid"]:
        raise Failed(f"{count} busy connections: {load['invalid']}")
    return {**_look(server), "per_second": load["per_second"], "p99_us": load["p99_us"]}


def _look(server):
    memory, cache = server.memory(), server.block_cache_bytes()
    return {**memory, "block_cache_bytes": cache, "beyond_cache_bytes": memory["rss_bytes"] - (cache or 0)}


def idle(bench):
    """Every connection does one GET, is left alone for a while, and must then still answer."""
    count = bench.idle_connections
    _need_files(bench, count)
    say(f"{count:,} idle connections, held for {bench.idle_seconds} s")
    server = Armazem(bench.processes, bench.binary, bench.directory("idle"))
    try:
        server.seed()
        result = {"connections": count, "seconds": bench.idle_seconds, "before": server.memory()}
        with Crowd(server.port, count) as crowd:
            result["answered_first"], complaints = crowd.ask_all("GET", "/store/bench")
            time.sleep(bench.idle_seconds)
            result["idle"] = server.memory()
            result["answered_after"], complaints_after = crowd.ask_all("GET", "/store/bench")
            result["complaints"] = complaints + complaints_after
        say(f"  {result['answered_after']:,} of {count:,} still answer, {result['idle']['rss_bytes'] / 2**20:.1f} MiB resident")
        for complaint in result["complaints"]:
            say(f"  !!! {complaint}")
        return result
    finally:
        bench.processes.stop_all()


def _need_files(bench, count):
    if bench.file_limit < count + SPARE_FILES:
        raise Failed(f"skipped: needs {count + SPARE_FILES:,} open files, the limit here is {bench.file_limit:,} (ulimit -n)")
