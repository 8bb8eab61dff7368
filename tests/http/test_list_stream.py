"""GET /store with Accept: application/x-ndjson: everything as lines, in constant memory."""
import json
import os
import uuid
from urllib.parse import quote

import pytest

from support.checks import assert_problem
from support.http_raw import request_bytes
from support.metrics import fetch_metrics

LINES = {"Accept": "application/x-ndjson"}
JSON = {"Content-Type": "application/json", "Prefer": "wait=30"}


@pytest.fixture
def prefix():
    return f"s-{uuid.uuid4().hex}/"


def lines_of(client, query):
    response = client.request("GET", f"/store?{query}", LINES)
    assert response.status == 200, repr(response)
    assert response.header("Content-Type") == "application/x-ndjson"
    assert response.body.endswith(b"\n")
    lines = [json.loads(line) for line in response.body.split(b"\n")[:-1]]
    assert lines[-1]["end"] is True and lines[-1]["entries"] == len(lines) - 1
    return lines[:-1], lines[-1]


def fill(client, prefix, count, value="x"):
    for start in range(0, count, 500):
        operations = [{"op": "put", "key": f"{prefix}{n:06}", "value": value} for n in range(start, min(start + 500, count))]
        response = client.request("POST", "/batch", JSON, json.dumps({"operations": operations}).encode())
        assert {result["status"] for result in response.json()["results"]} == {201}


def test_nothing(client, prefix):
    entries, end = lines_of(client, f"prefix={prefix}")
    assert entries == [] and end == {"end": True, "entries": 0}


def test_lines_are_the_entries_of_a_page(client, prefix):
    client.put(prefix + "a", "Olá\n".encode(), {"Content-Type": "text/plain; charset=utf-8"})
    client.put(prefix + "b", b'{\n "x": [1,\r\n2.50]\n}', {"Content-Type": "application/json"})
    client.put(prefix + "c", b"\x89PNG\n", {"Content-Type": "image/png", "Armazem-TTL": "3600"})
    for query in ("", "&keys_only", "&values=base64"):
        page = client.request("GET", f"/store?prefix={prefix}{query}").json()
        entries, end = lines_of(client, f"prefix={prefix}{query}")
        assert entries == page["entries"], query
        assert end == {"end": True, "entries": 3}


def test_everything_in_order(client, prefix):
    fill(client, prefix, 2500)
    entries, _ = lines_of(client, f"prefix={prefix}&keys_only")
    assert [entry["key"] for entry in entries] == [f"{prefix}{n:06}" for n in range(2500)]


def test_a_limit_and_where_to_go_on(client, prefix):
    fill(client, prefix, 30)
    entries, end = lines_of(client, f"prefix={prefix}&limit=10")
    assert len(entries) == 10
    rest, end = lines_of(client, f"prefix={prefix}&after={end['next']}")
    assert [entry["key"] for entry in entries + rest] == [f"{prefix}{n:06}" for n in range(30)]
    assert "next" not in end


@pytest.mark.parametrize("accept, wanted", [("application/x-ndjson", True), ("application/json, application/x-ndjson;q=0.5", False),
                                            ("*/*", False), ("text/html, application/x-ndjson", True)])
def test_only_those_who_name_it_get_lines(client, prefix, accept, wanted):
    response = client.request("GET", f"/store?prefix={prefix}", {"Accept": accept})
    assert (response.header("Content-Type") == "application/x-ndjson") == wanted
    assert "Accept" in response.header("Vary")


def test_head_and_problems(client, prefix):
    head = client.request("HEAD", f"/store?prefix={prefix}", LINES)
    assert head.status == 200 and head.body == b"" and head.header("Content-Type") == "application/x-ndjson"
    assert_problem(client.request("GET", "/store?limit=0", LINES), 400, "query-invalid")
    assert client.request("GET", f"/store?prefix={prefix}").status == 200, "the connection is still good"


def memory(server):
    return fetch_metrics(server.address).value("process_resident_memory_bytes")


def test_a_slow_reader_costs_a_piece_of_memory(own_server, client, connect, prefix):
    """Twenty readers who do not read, of a list of 40 MB each."""
    if os.environ.get("ARMAZEM_SLOW"):
        pytest.skip("ARMAZEM_SLOW: a sanitizer keeps freed memory, so the process' size says nothing")
    fill(client, prefix, 10_000, "x" * 4_000)
    readers = [connect(own_server) for _ in range(20)]
    before = memory(own_server)
    for reader in readers:
        reader.send(request_bytes("GET", f"/store?prefix={quote(prefix)}", LINES))
    for _ in range(20):
        fetch_metrics(own_server.address)
    grown = memory(own_server) - before
    assert grown < 64 * 2**20, f"{grown / 2**20:.0f} MiB for 20 readers; the whole list of one is 40 MB"
    response = readers[0].read("GET")
    assert response.status == 200 and response.body.count(b"\n") == 10_001
