"""The recording clients write down what happened: the judge accepts it, and refuses it as soon as one line is made untrue."""
import json
import subprocess
import time
from types import SimpleNamespace

import pytest

from faults.clients import Clients
from faults.programs import program
from support.wait import until

OPERATIONS = 1500


def judge(path):
    done = subprocess.run([program("armazem-check"), str(path)], timeout=120, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def recorded(server, tmp_path_factory):
    """Lines of a run against one server."""
    if not server.owned:
        pytest.skip("ARMAZEM_URL is set: the clients speak to a port of 127.0.0.1")
    out = tmp_path_factory.mktemp("recorded")
    options = SimpleNamespace(seed=time.time_ns(), clients=8, rate=100_000)  # a seed of its own, because keys begin with it
    clients = Clients([server.address[1]], out, options)
    try:
        until(lambda: sum(clients.counts().values()) >= OPERATIONS, 60, "the clients to have been at work")
        finished = clients.command("finish", 60)
        clients.command("finals", 120)
    finally:
        clients.close()
    assert finished["counts"]["unknown"] < OPERATIONS / 20 and finished["counts"]["failed"] == 0, finished
    return [json.loads(line) for path in sorted(out.glob("*.jsonl")) for line in path.read_text().splitlines()]


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_what_was_recorded_is_good(recorded, tmp_path):
    code, text = judge(write(tmp_path / "all.jsonl", recorded))
    assert code == 0, text
    operations = [line for line in recorded if line["type"] == "op"]
    assert len(operations) >= OPERATIONS
    assert {line.get("level") for line in operations} >= {"cached", "session", "strong"}
    assert {line["op"] for line in operations} == {"put", "delete", "get"}
    assert any("condition" in line and line["outcome"] == "ok" for line in operations)
    assert any(line.get("status") == 412 for line in operations)
    keys = {line["key"] for line in operations}
    assert keys <= {line["key"] for line in recorded if line["type"] == "final"}, "every key is read in the end"


def stale_read(lines):
    """The last strong read of a value shows what an earlier one of its key showed."""
    reads = [line for line in lines if line["type"] == "op" and line.get("level") == "strong" and "value" in line]
    for last in reversed(reads):
        for first in reads:
            if first["key"] == last["key"] and first["value"] != last["value"] and first["returned"] < last["invoked"]:
                puts = [line for line in lines if line["type"] == "op" and line["op"] == "put" and line["key"] == last["key"]]
                if any(put["outcome"] == "ok" and put["version"] > first["version"] and put["returned"] < last["invoked"]
                       for put in puts):
                    last["value"], last["version"] = first["value"], first["version"]
                    return
    raise AssertionError("no such reads in the recording")


def lost_end(lines):
    """A key that holds something holds nothing, and nobody deleted it."""
    deleted = {line["key"] for line in lines if line["type"] == "op" and line["op"] == "delete"}
    end = next(line for line in lines if line["type"] == "final" and "value" in line and line["key"] not in deleted)
    del end["value"], end["version"]


def denied_write(lines):
    """A value that was read belongs to a write that is said to have had no effect."""
    read = next(line for line in lines if line["type"] == "op" and line["op"] == "get" and "value" in line)
    put = next(line for line in lines if line["type"] == "op" and line["op"] == "put" and line.get("value") == read["value"])
    put |= {"outcome": "failed", "status": 503}


def other_value(lines):
    """A read shows a value that nobody wrote."""
    next(line for line in lines if line["type"] == "op" and line["op"] == "get" and "value" in line)["value"] = 10**9


@pytest.mark.parametrize("untruth", [stale_read, lost_end, denied_write, other_value])
def test_one_untrue_line_is_refused(recorded, tmp_path, untruth):
    lines = json.loads(json.dumps(recorded))
    untruth(lines)
    code, text = judge(write(tmp_path / "untrue.jsonl", lines))
    assert code == 1, text


def test_a_file_that_is_none_is_told(tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_text('{"type":"op"}\n')
    assert judge(path)[0] == 2
    assert judge(tmp_path / "missing.jsonl")[0] == 2
