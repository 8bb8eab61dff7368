"""docs/benchmarks.md and its chart: every word and figure comes from one run."""
from lib import chart, peers, targets

MIB = 2 ** 20


def write(path, results):
    """`path` is the Markdown file; the chart gets the same name with .svg."""
    path.parent.mkdir(parents=True, exist_ok=True)
    groups = _chart_groups(results)
    if groups:
        path.with_suffix(".svg").write_text(chart.draw(groups), "utf-8")
    parts = [_head(results, path.with_suffix(".svg").name if groups else None), _targets(results)]
    parts += [section(results) for section in (_get, _put, _memory, _idle, _keys, _how, _caveats)]
    path.write_text("\n\n".join(part for part in parts if part) + "\n", "utf-8")


def _head(results, chart_name):
    run = results["run"]
    lines = ["# Benchmarks", "",
             f"Written by `{run['command']}` on {run['date']}; do not edit, run it again. How to read it: `bench/README.md`."]
    if run["quick"]:
        lines += ["", "**A quick run: it shows that the benchmark works, its figures mean nothing.**"]
    if chart_name:
        lines += ["", f"![Requests per second]({chart_name})"]
    return "\n".join(lines)


def _targets(results):
    rows = targets.judge(results)
    if not rows:
        return None
    words = {True: "met", False: "**not met**", None: "**not measured**"}
    return "## Targets\n\n" + _table(
        ("", "measured", "target", ""),
        [(row["name"], _one_line(row["figure"]), row["bound"], words[row["met"]]) for row in rows])


def _get(results):
    return _speed(results, "get", "GET of a 100-byte value",
                  "One key, asked again and again. NGINX serves the very bytes of Armazém's body with `return 200`; "
                  "webdis asks Redis each time.")


def _put(results):
    return _speed(results, "put", "Durable PUT of a 100-byte value",
                  "Distinct keys; every answer comes after the data was synced to the disk (fdatasync). "
                  "*Without HTTP* is the same store code, driven as batches of the size that the HTTP clients formed, one after the other, and by as many writers in a closed loop.")


def _speed(results, name, title, words):
    suite = results.get(name)
    if suite is None:
        return None
    return f"## {title}\n\n{words}\n\n" + _failure_or(suite, lambda: _rates(suite["contestants"]))


def _rates(contestants):
    header = ("", "requests/s", "min–max", "p50", "p99", "p99.9", "longest", "server CPU per request", "bytes per answer")
    return _table(header, [_rate_row(entry) for entry in contestants.values()])


def _rate_row(entry):
    if entry["invalid"]:
        return (entry["label"], f"**INVALID**: {entry['invalid']}", *[""] * 7)
    rate = entry["per_second"]
    middle = {name: entry[name]["median"] for name in entry if isinstance(entry[name], dict)}
    return (entry["label"], f"{rate['median']:,.0f}", f"{rate['min']:,.0f}–{rate['max']:,.0f}",
            *[_ms(middle.get(name)) for name in ("p50_us", "p99_us", "p999_us", "max_us")],
            _number(middle.get("server_cpu_us"), "{:.1f} µs"), _number(middle.get("answer_bytes"), "{:.0f}"))


def _memory(results):
    memory = results.get("memory")
    if memory is None:
        return None
    title = "## Memory with many connections\n\n"
    return title + _failure_or(memory, lambda: _memory_table(memory))


def _memory_table(memory):
    count, load = memory["connections"], memory["under_load"]
    labels = {"before": "started, nothing asked yet",
              "connected": f"{count:,} connections, each did a PUT and a GET and stays open",
              "under_load": f"after {count:,} connections that asked without pause "
                            f"({load['per_second']:,.0f} GET/s, p99 {_ms(load['p99_us'])}; not judged)"}
    rows = [(label, _mib(memory[name]["rss_bytes"]), _mib(memory[name]["block_cache_bytes"]),
             _mib(memory[name]["beyond_cache_bytes"]), _mib(memory[name]["peak_bytes"])) for name, label in labels.items()]
    return "Default settings.\n\n" + _table(
        ("", "resident (VmRSS)", "block cache in use", "beyond it", "highest so far (VmHWM)"), rows)


def _idle(results):
    idle = results.get("idle")
    if idle is None:
        return None

    def words():
        text = (f"{idle['connections']:,} keep-alive connections, one GET each ({idle['answered_first']:,} answered), left alone "
                f"for {idle['seconds']} s; then {idle['answered_after']:,} still answered. Resident memory meanwhile "
                f"{_mib(idle['idle']['rss_bytes'])}, before them {_mib(idle['before']['rss_bytes'])}.")
        return text + "".join(f"\n- {complaint}" for complaint in idle["complaints"])

    return "## Idle connections\n\n" + _failure_or(idle, words)


def _keys(results):
    keys = results.get("keys")
    if keys is None:
        return None

    def words():
        parts = [f"Keys drawn uniformly at random; {keys['warm_up_seconds']} s of warm-up for each server."]
        for run in keys["runs"]:
            parts.append(f"### {run['settings'].capitalize() if run['settings'][0] != '-' else '`' + run['settings'] + '`'}\n\n"
                         f"The database of {keys['large']:,} keys has {_mib(run['database_bytes'])} on disk; its server ended with "
                         f"{_mib(run['large_rss_bytes'])} resident, {_mib(run['large_block_cache_bytes'])} of that block cache.\n\n"
                         + _rates(run["contestants"]))
        return "\n\n".join(parts)

    return "## Many keys\n\n" + _failure_or(keys, words)


def _how(results):
    run = results["run"]
    machine = _table(("", ""), run["machine"].items())
    versions = _table(("", "version"), run["versions"].items())
    load = (f"wrk with {run['connections']} connections, threads: {run['threads']}. {run['rounds']} interleaved rounds of "
            f"{run['seconds']} s: the servers of a section are all up, idle but for the one being measured, and each is measured once per "
            "round, after all have come to rest; the order moves on by one each round. Rates, latencies and ratios are medians over the "
            "rounds; a ratio is taken within each round. Before the first round each server must answer a second of the same "
            "load with 2xx only; any error later makes a figure invalid.")
    settings = "\n\n".join(f"{name}:\n\n```\n{text.rstrip()}\n```" for name, text in _settings(run).items())
    return (f"## How it was measured\n\n{load}\n\n### Machine\n\n{machine}\n\n### Versions\n\n{versions}\n\n"
            f"### Settings\n\n`PORT` and `DIR` stand for what was free and temporary. Armazém: `{run['serve']}`.\n\n{settings}")


def _settings(run):
    used = {}
    for name, peer in (("nginx", peers.Nginx), ("webdis", peers.Webdis), ("etcd", peers.Etcd)):
        if name in run["peers"]:
            used.update(peer.settings)
    return used


def _caveats(results):
    shares = sorted(sample["foreign_cpu_share"] for suite in _suites(results)
                    for entry in suite["contestants"].values() for sample in entry["samples"])
    lines = ["Client and servers share the processors: a figure is what the pair of them reaches, and a cheaper client would "
             "leave every server more. *Server CPU per request* leaves the client out.",
             "wrk works in a closed loop: under overload its latencies grow by queueing on both sides. etcd's and "
             "Armazém's p99 at a different rate each are not the same question.",
             "NGINX `return 200` looks nothing up, keeps nothing and sends fewer headers; it is here as the speed of a bare answer.",
             "Loopback only: no network card, no distance."]
    if shares:
        middle, most = shares[len(shares) // 2], shares[-1]
        lines.append(f"Other programs took {middle:.0%} of the processors' time during a measurement (median; at most {most:.0%})."
                     + (" **That is a noisy machine: trust the ratios more than the rates.**" if most > 0.05 else ""))
    if results["run"]["in_memory"]:
        lines.append("**The data lay in memory (tmpfs), where a sync costs nothing: the PUT figures do not count.**")
    return "## Caveats\n\n" + "\n".join(f"- {line}" for line in lines)


def _suites(results):
    for suite in (results.get("get"), results.get("put"), *((results.get("keys") or {}).get("runs", []))):
        if suite and "contestants" in suite:
            yield suite


def _chart_groups(results):
    groups = []
    for suite, heading in ((results.get("get"), "GET of a 100-byte value"), (results.get("put"), "Durable PUT of a 100-byte value")):
        _add_group(groups, suite, heading, ours=("armazem", "armazem-1"))
    keys = results.get("keys") or {}
    for run in keys.get("runs", []):
        _add_group(groups, run, f"GET of random keys, {run['settings']}", ours=("small", "large"))
    return groups


def _add_group(groups, suite, heading, ours):
    bars = [(entry["label"], entry["per_second"], entry["p99_us"]["median"], key in ours)
            for key, entry in (suite or {}).get("contestants", {}).items() if not entry["invalid"] and entry["samples"]]
    if bars:
        groups.append((heading, bars))


def _failure_or(suite, words):
    return f"**Not measured**: {_one_line(suite['failed'])}" if "failed" in suite else words()


def _one_line(text):
    return str(text).splitlines()[0].replace("|", "\\|")


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def _number(value, form):
    return "" if value is None else form.format(value)


def _ms(microseconds):
    return _number(None if microseconds is None else microseconds / 1000, "{:.2f} ms")


def _mib(count):
    return "no figure" if count is None else f"{count / MIB:,.1f} MiB"
