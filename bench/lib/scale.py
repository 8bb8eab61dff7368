"""GET at 10 million keys beside GET at 10 thousand, both uniform at random, with the default and with a large block cache."""
import re
from pathlib import Path

from lib import cpu, rounds
from lib.armazem import Armazem, StoreBench, directory_bytes
from lib.processes import Failed
from lib.rounds import Contestant
from lib.say import say

SMALL = 10_000
KEYS_PER_SECOND_AT_LEAST = 20_000  # a load slower than this is stuck
DISK_BYTES_PER_KEY = 400           # with room for compaction
COMPACTION_SECONDS = 300


def keys(bench):
    large = bench.keys_large
    _need_disk(bench, large)
    directories = {}
    for count in (SMALL, large):
        say(f"loading {count:,} keys")
        directories[count] = bench.directory(f"keys-{count}")
        StoreBench(bench.processes, bench.store_bench, directories[count]).load(
            count, 60 + count / KEYS_PER_SECOND_AT_LEAST)
    result = {"small": SMALL, "large": large, "warm_up_seconds": bench.keys_warm_up, "runs": []}
    for label, extra in _settings(bench):
        result["runs"].append({"settings": label, **_compare(bench, directories, large, label, extra)})
    return result


def _compare(bench, directories, large, label, extra):
    contestants = []
    try:
        for count, directory in directories.items():
            server = Armazem(bench.processes, bench.binary, directory, extra, f"armazem-{count}")
            contestants.append(_contestant(bench, server, count))
        say(f"GET of random keys, {label}: waiting for compactions, warming up for {bench.keys_warm_up} s each")
        cpu.settle([group for one in contestants for group in one.groups], COMPACTION_SECONDS)
        return {"contestants": rounds.run(contestants, bench.rounds), "database_bytes": directory_bytes(directories[large]),
                **_memory(contestants)}
    finally:
        bench.processes.stop_all()


def _contestant(bench, server, count):
    def args(seed):
        return [count, seed * 1000 + 1]

    def warm_up():
        first = bench.wrk.diagnose("get_random.lua", server.base, args(0))
        return first if first["invalid"] else bench.wrk.run("get_random.lua", server.base, args(1), bench.keys_warm_up)

    return Contestant(
        "small" if count == SMALL else "large", f"{count:,} keys", server.groups,
        measure=lambda number: bench.wrk.run("get_random.lua", server.base, args(number + 2), bench.seconds),
        warm_up=warm_up, server=server)


def _memory(contestants):
    """The large server's, after the last round; nothing when it has no word for its cache."""
    server = contestants[-1].server
    return {"large_rss_bytes": server.memory()["rss_bytes"], "large_block_cache_bytes": server.block_cache_bytes()}


def _settings(bench):
    yield "default settings", ()
    wanted, available = _bytes(bench.block_cache), _memory_available()
    if available < 2 * wanted:
        say(f"skipped: --block-cache {bench.block_cache} with {available / 2**30:.1f} GiB of memory available")
        return
    yield f"--block-cache {bench.block_cache}", ("--block-cache", bench.block_cache)


def _need_disk(bench, count):
    free = bench.free_bytes()
    if free < count * DISK_BYTES_PER_KEY:
        raise Failed(f"skipped: {count:,} keys need {count * DISK_BYTES_PER_KEY / 2**30:.1f} GiB of disk, "
                     f"{free / 2**30:.1f} GiB are free (--directory chooses another place)")


def _bytes(text):
    number, unit = re.fullmatch(r"(\d+)([KMG]iB)?", text).groups()
    return int(number) * {None: 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]


def _memory_available():
    return int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
