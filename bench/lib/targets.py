"""The project's speed targets, and whether a run met them. Absent results give no row."""
from lib.rounds import ratio


def judge(results):
    """[{name, figure, bound, met}]; met is None when the figures are invalid or were skipped."""
    rows = []
    get, put = results.get("get"), results.get("put")
    _ratio_row(rows, get, "armazem", "nginx", 1.0, "GET beside NGINX `return 200` of the same bytes")
    _ratio_row(rows, get, "armazem", "webdis", 1.5, "GET beside webdis on Redis")
    _ratio_row(rows, put, "armazem", "etcd", 4.0, "durable PUT beside etcd's JSON gateway")
    _ratio_row(rows, put, "armazem", "rocksdb", 0.7, "durable PUT beside the same RocksDB batches without HTTP")
    _memory_row(rows, results.get("memory"))
    _idle_row(rows, results.get("idle"))
    _scale_rows(rows, results.get("keys"))
    return rows


def best(contestants, name):
    """Of the ways in which a contestant was measured ("nginx", "nginx-1") the one with the highest median; or None."""
    ways = [key for key in contestants if key == name or key.startswith(name + "-")]
    return max(ways, key=lambda key: contestants[key]["per_second"]["median"] if contestants[key].get("per_second") else 0, default=None)


def _ratio_row(rows, suite, ours, theirs, bound, name):
    if suite is None:
        return
    if "failed" in suite:
        rows.append(_row(name, suite["failed"], f"≥ {bound} ×", None))
        return
    contestants = suite["contestants"]
    ours, theirs = best(contestants, ours), best(contestants, theirs)
    if ours is None or theirs is None:
        return
    found = ratio(contestants, ours, theirs)
    if found is None:
        rows.append(_row(name, "invalid, see the table", f"≥ {bound} ×", None))
        return
    figure = f"{found['median']:.2f} × ({found['min']:.2f}–{found['max']:.2f})"
    rows.append(_row(name, figure, f"≥ {bound} ×", found["median"] >= bound))


def _memory_row(rows, memory):
    if memory is None:
        return
    name, bound = "memory at 1,000 connections beyond the block cache", "< 64 MiB"
    if "failed" in memory:
        rows.append(_row(name, memory["failed"], bound, None))
        return
    beyond = memory["connected"]["beyond_cache_bytes"] / 2**20
    met = beyond < 64 if memory["connections"] >= 1_000 else None
    rows.append(_row(name, f"{beyond:.1f} MiB at {memory['connections']:,}", bound, met))


def _idle_row(rows, idle):
    if idle is None:
        return
    name, bound = "idle connections held", "10,000"
    if "failed" in idle:
        rows.append(_row(name, idle["failed"], bound, None))
        return
    rows.append(_row(name, f"{idle['answered_after']:,} of {idle['connections']:,}", bound, idle["answered_after"] >= 10_000))


def _scale_rows(rows, keys):
    if keys is None:
        return
    if "failed" in keys:
        rows.append(_row("GET at 10⁷ keys beside GET at 10⁴", keys["failed"], "≥ 0.7 ×", None))
        return
    for run in keys["runs"]:
        _ratio_row(rows, run, "large", "small", 0.7,
                   f"GET at {keys['large']:,} keys beside GET at {keys['small']:,}, {run['settings']}")


def _row(name, figure, bound, met):
    return {"name": name, "figure": figure, "bound": bound, "met": met}
