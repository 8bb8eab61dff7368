"""The JMeter plan with a handful of users against a server of its own: no errors, and every parameter has its effect."""
import csv
import os
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

from support.metrics import fetch_metrics
from support.server import ROOT
from support.wait import SCALE

INSTALL_SECONDS, RUN_SECONDS = 400, 240 * SCALE
PLAN = ROOT / "load/armazem.jmx"


@pytest.fixture(scope="module")
def jmeter():
    """JMeter, from Maven Central the first time. Where that cannot be, the tests say so and why."""
    try:
        done = subprocess.run([ROOT / "load/jmeter.sh", "--install"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"not run: JMeter was not fetched from Maven Central within {INSTALL_SECONDS} s")
    if done.returncode != 0:
        pytest.skip("not run: " + " ".join(done.stdout.split())[-500:])


def run_load(*arguments):
    environment = {**os.environ, "ARMAZEM_SKIP_INSTALL": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([ROOT / "load/run.sh", *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=RUN_SECONDS)
    return done.returncode, done.stdout


def rows(path):
    return list(csv.DictReader(path.open(newline="")))


def test_a_small_run_has_no_errors_and_obeys_its_parameters(jmeter, own_server, make_client, tmp_path):
    host, port = own_server.address
    code, printed = run_load("--host", host, "--port", port, "--users", 4, "--rampup", 8, "--loops", 5, "--keys", 3,
                             "--valuebytes", 7, "--out", tmp_path / "run")
    assert code == 0, printed
    samples = rows(tmp_path / "run/results.jtl")
    assert [sample["success"] for sample in samples] == ["true"] * 40
    assert {sample["threadName"] for sample in samples} == {f"Users 1-{user}" for user in range(1, 5)}
    # Each user: a PUT, then the GET of the same key, five times.
    for user in range(1, 5):
        mine = sorted((int(s["timeStamp"]), s["label"] == "GET", s["label"]) for s in samples if s["threadName"] == f"Users 1-{user}")
        assert sorted(label for _, _, label in mine) == ["GET"] * 5 + ["PUT"] * 5
    # The ramp-up has the last user begin six seconds after the first; half of that allows for a loaded machine.
    begins = {user: min(int(s["timeStamp"]) for s in samples if s["threadName"] == f"Users 1-{user}") for user in (1, 4)}
    assert begins[4] - begins[1] >= 3000
    seen = fetch_metrics(own_server.address)
    assert seen.total("armazem_http_requests_total", method="PUT", route="/store") == 20
    assert seen.total("armazem_http_requests_total", method="GET", route="/store/{key}") == 20
    client = make_client(own_server)
    answers = [client.get(f"jmeter-{number}") for number in range(0, 6)]
    stored = [answer for answer in answers if answer.status == 200]
    assert stored and all(answers[number].status == 404 for number in (0, 4, 5)), answers
    assert all(re.fullmatch("[a-z0-9]{7}", answer.json()["value"]) for answer in stored)

    summary = {row["operation"]: row for row in rows(tmp_path / "run/summary.csv")}
    assert {name: (row["requests"], row["errors"]) for name, row in summary.items()} == \
        {"PUT": ("20", "0"), "GET": ("20", "0"), "all": ("40", "0")}
    assert "| all | 40 | 0 |" in (tmp_path / "run/summary.md").read_text()
    assert re.search(r"^Answers: PUT 201: [1-3], PUT 200: 1[7-9], GET 200: 20\.$", (tmp_path / "run/summary.md").read_text(), re.M)
    assert (tmp_path / "run/report/index.html").stat().st_size > 1000
    assert ET.parse(tmp_path / "run/series.svg").getroot().tag.endswith("svg")


def test_a_failing_run_says_so(jmeter, tmp_path):
    code, printed = run_load("--port", 1, "--users", 1, "--rampup", 0, "--loops", 2, "--out", tmp_path / "run")
    assert code == 1, printed
    assert "ConnectException" in (tmp_path / "run/summary.md").read_text()
    assert [row["errors"] for row in rows(tmp_path / "run/summary.csv")] == ["2", "2", "4"]
    again, printed = run_load("--port", 1, "--users", 1, "--rampup", 0, "--loops", 2, "--out", tmp_path / "run")
    assert again == 2 and "exists already" in printed


def test_the_defaults_are_those_of_the_published_load():
    used = dict(re.findall(r"\$\{__P\((\w+),([^)]*)\)\}", PLAN.read_text()))
    assert (used["users"], used["rampup"], used["loops"]) == ("300", "30", "100")
    code, help_text = run_load("--help")
    assert code == 0
    for name, default in used.items():
        assert re.search(rf"--{name} \w+\s+\(default {re.escape(default)}\)", help_text), name
