"""armazem bench against a real server: its figures agree with the server's own, and it ends whatever the server does."""
import csv
import os
import pty
import re
import signal
import xml.etree.ElementTree as ET

import pytest

from support.commands import finish, read_terminal, url_of
from support.metrics import fetch_metrics
from support.wait import until

REQUESTS = "armazem_http_requests_total"


def counts(server):
    """{(method, status): requests} of the store's routes."""
    found = {}
    for (name, labels), value in fetch_metrics(server.address).samples.items():
        labels = dict(labels)
        if name == REQUESTS and labels["route"].startswith("/store"):
            key = labels["method"], labels["status"]
            found[key] = found.get(key, 0) + value
    return found


def difference(after, before):
    return {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}


def by_method(found):
    sums = {}
    for (method, _), value in found.items():
        sums[method] = sums.get(method, 0) + value
    return sums


def by_status(found):
    sums = {}
    for (_, status), value in found.items():
        sums[status] = sums.get(status, 0) + value
    return sums


def counted(server, before, total):
    """What the server has counted since, once it is all: a request may be counted a moment after its answer was sent."""
    def look():
        found = difference(counts(server), before)
        return found if sum(found.values()) >= total else None
    return until(look, 30, f"the server has counted {total} requests")


def test_its_counts_are_those_of_the_server(own_server, bench):
    before = counts(own_server)
    result = bench("--count", 3000, "--mix", "put=50,get=40,delete=10", "--keys", 50, "--threads", 2)
    assert result.code == 0, result
    report = result.json()
    server = counted(own_server, before, 3000)
    assert sum(server.values()) == 3000 == report["all"]["requests"]
    assert {name: one["requests"] for name, one in report["operations"].items()} == by_method(server)
    assert report["answers"] == by_status(server) and not report["errors"]
    assert set(server) >= {("PUT", "200"), ("GET", "200"), ("GET", "404"), ("DELETE", "204"), ("DELETE", "404")}


def test_pairs_and_loops_are_the_plan_of_a_user(own_server, bench):
    before = counts(own_server)
    report = bench("--connections", 7, "--loops", 20, "--pairs", "--key-prefix", "pairs-").json()
    assert by_method(counted(own_server, before, 140)) == {"PUT": 70, "GET": 70}
    assert report["all"]["errors"] == 0 and "404" not in report["answers"]


@pytest.mark.parametrize("route", ["json", "raw"])
@pytest.mark.parametrize("read", ["cached", "session", "strong"])
def test_routes_and_read_levels(server, bench, route, read):
    result = bench("--count", 300, "--route", route, "--read", read, "--keys", 10, "--values", "zipf:1-2000")
    assert result.code == 0, result
    assert result.json()["all"]["errors"] == 0


def test_prefill_writes_every_key(server, bench):
    report = bench("--prefill", "--keys", 300, "--key-prefix", f"pre/{os.getpid()} ", "--mix", "get=1", "--count", 600).json()
    assert report["answers"] == {"200": 600}


def test_a_rate_is_kept_and_latencies_are_ordered(server, bench):
    report = bench("--rate", 200, "--count", 300).json()
    assert report["all"]["requests"] == 300
    assert report["seconds"] >= 299 / 200  # slower is the machine's business, faster would be a wrong schedule
    latency = report["all"]["latency_ms"]
    order = [latency[name] for name in ("p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max")]
    assert order == sorted(order) and order[0] > 0


def test_csv_and_svg(server, bench, run, tmp_path):
    files = ["--csv", tmp_path / "run.csv", "--svg", tmp_path / "run.svg", "--title", "a <run> & more"]
    report = bench("--duration", "2500ms", *files).json()
    rows = list(csv.DictReader((tmp_path / "run.csv").open()))
    for operation in ("PUT", "GET"):
        assert sum(int(row["requests"]) for row in rows if row["operation"] == operation) == report["operations"][operation]["requests"]
    assert sum(int(row["requests"]) for row in rows if row["operation"] == "all") == report["all"]["requests"]
    times = [float(row["seconds"]) for row in rows if row["operation"] == "all"]
    assert times == sorted(times) and len(times) >= 2
    root = ET.parse(tmp_path / "run.svg").getroot()
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"PUT", "GET", "p50", "p99", "max", "a <run> & more: requests per second"} <= set(texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 6

    again = run("bench", "--from-csv", tmp_path / "run.csv", "--svg", tmp_path / "again.svg", "--title", "a <run> & more")
    assert again.code == 0, again
    redrawn = ET.parse(tmp_path / "again.svg").getroot()
    assert [element.text for element in redrawn.iter("{http://www.w3.org/2000/svg}text")] == texts


def test_the_table_for_people(server, bench):
    result = bench("--count", 100, kind=None)
    assert re.search(r"^100 requests in \d+\.\d s: [\d.]+ requests/s, 0 errors \(0 %\)$", result.out, re.M), result
    for name in ("PUT", "GET", "all"):
        assert re.search(rf"^{name} +\d+ +[\d.]+ +0 ", result.out, re.M), result
    assert "p99.99" in result.out and re.search(r"^ +\d+  20[01]$", result.out, re.M)


def test_errors_are_named_and_decide_the_exit_code(start_server, run):
    server = start_server("--value-max", "1KiB")
    arguments = ["bench", "--url", url_of(server), "--json", "--quiet", "--count", 50, "--mix", "put=1", "--route", "raw", "--values", "2000"]
    result = run(*arguments)
    assert result.code == 1 and result.json()["errors"] == {"413 value-too-large": 50}, result
    assert run(*arguments, "--max-error-rate", "1").code == 0


def test_ctrl_c_ends_it_with_its_result(own_server, begin):
    before = sum(counts(own_server).values())
    process = begin("bench", "--url", url_of(own_server), "--duration", "1h", "--quiet")
    until(lambda: sum(counts(own_server).values()) > before + 100, 60, "the run is under way")
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 0 and "Interrupted" in done.out, done
    assert int(re.search(r"^(\d+) requests in", done.out, re.M)[1]) > 100 and " 0 errors" in done.out


def test_a_server_that_is_killed_is_reported_and_not_waited_for(start_server, begin):
    server = start_server()
    process = begin("bench", "--url", url_of(server), "--duration", "6s", "--json", "--quiet")
    until(lambda: sum(counts(server).values()) > 100, 60, "the run is under way")
    server.kill()
    done = finish(process)
    assert done.code == 1, done
    report = done.json()
    assert report["errors"]["cannot connect: Connection refused"] > 0
    assert report["all"]["requests"] > report["all"]["errors"] > 0


def test_nobody_there(run):
    result = run("bench", "--url", "http://127.0.0.1:1")
    assert result.code == 1 and "cannot connect: Connection refused" in result.err and not result.out, result
    result = run("bench", "--url", "http://no-such-host.invalid:80")
    assert result.code == 1 and "cannot resolve no-such-host.invalid" in result.err, result


@pytest.mark.parametrize("arguments, complaint", [
    (["--url", "https://x"], "https"),
    (["--url", "http://x/store"], "without path"),
    (["--connections", "0"], "--connections"),
    (["--rate", "-5"], "--rate"),
    (["--duration", "10"], "'10' is not a time"),
    (["--values", "10-5"], "'10-5' is not a size"),
    (["--mix", "get=1,get=2"], "shares of put, get and delete"),
    (["--key-pattern", "zipf:0"], "exponent"),
    (["--read", "dirty"], "'dirty' is not cached|session|strong"),
    (["--rate", "10", "--ramp-up", "1s"], "--ramp-up"),
    (["--loops", "1", "--count", "1"], "--loops"),
    (["--max-error-rate", "2"], "--max-error-rate"),
    (["--from-csv", "x.csv"], "--svg"),
    (["--nonsense"], "--nonsense"),
])
def test_wrong_options_are_said_in_words(run, arguments, complaint):
    result = run("bench", *arguments)
    assert result.code == 2 and complaint in result.err, result


def test_files_that_cannot_be_used_are_said_in_words(server, bench, run, tmp_path):
    result = bench("--count", 1, "--csv", tmp_path / "none" / "run.csv")
    assert result.code == 1 and "cannot write" in result.err, result
    (tmp_path / "wrong.csv").write_text("a,b\n")
    result = run("bench", "--from-csv", tmp_path / "wrong.csv", "--svg", tmp_path / "x.svg")
    assert result.code == 1 and "line 1" in result.err, result


def test_help_has_examples(run):
    result = run("bench", "--help")
    assert result.code == 0 and "Examples:" in result.out and "--rate" in result.out


def test_a_terminal_gets_a_progress_bar(server, begin):
    ours, theirs = pty.openpty()
    try:
        process = begin("bench", "--url", url_of(server), "--duration", "1500ms", stderr=theirs)
        done = finish(process)
        os.close(theirs)
        shown = read_terminal(ours)
    finally:
        os.close(ours)
    assert done.code == 0, done
    assert re.search(rb"\[=* *\] +\d+ % ", shown) and b"requests" in shown, shown
    assert shown.endswith(b"\r\x1b[K")  # nothing stays on the line
