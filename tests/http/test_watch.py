"""GET /watch: every change once and in order, from where a watcher left off; marks, resets, ends."""
from urllib.parse import quote

import pytest

from support.checks import assert_problem
from support.client import Client
from support.http_raw import RawConnection, request_bytes
from support.metrics import fetch_metrics
from support.wait import SCALE, until
from support.watchers import Watchers, Writers, check
from support.watching import EventStream


@pytest.fixture
def watch(server):
    streams = []

    def open_stream(query="", headers=(), of=server):
        streams.append(EventStream(of.address, query, headers))
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.close()


def of_prefix(key):
    return "prefix=" + quote(key, safe="")


def watchers(server):
    return fetch_metrics(server.address).value("armazem_watchers")


def versions_of(answers):
    return [answer.header("Armazem-Version") for answer in answers]


def test_tells_puts_and_deletes(client, watch, key):
    stream = watch(of_prefix(key))
    assert stream.status == 200
    assert "\r\nContent-Type: text/event-stream\r\n" in stream.head
    assert "\r\nCache-Control: no-store\r\n" in stream.head
    put = client.put(key + "/a", b"hello", {"Content-Type": "text/plain"})
    gone = client.delete(key + "/a")
    first, second = stream.next(), stream.next()
    assert first.kind == "put"
    assert first.data == {"key": key + "/a", "version": put.header("Armazem-Version"), "size": 5,
                          "content_type": "text/plain", "value": "hello"}
    assert second.kind == "delete"
    assert second.data == {"key": key + "/a", "version": gone.header("Armazem-Version")}


def test_values_look_as_in_a_list(client, watch, key):
    stream = watch(of_prefix(key))
    client.put_json(key + "/json", {"a": [1, 2]}, ttl=1000)
    client.put(key + "/bytes", b"\xff\x00")
    client.put(key + "/lines", b"{\n  \"a\":\r\n 1}", {"Content-Type": "application/json"})
    client.put(key + "/long", b"x" * 4097, {"Content-Type": "text/plain"})
    client.put(key + "/empty", b"", {"Content-Type": "text/plain"})
    as_json, as_bytes, as_lines, long, empty = (stream.next().data for _ in range(5))
    assert as_json["value"] == {"a": [1, 2]} and as_json["content_type"] == "application/json"
    assert as_json["expires_at"].endswith("Z")
    assert as_bytes["value_base64"] == "/wA=" and as_bytes["size"] == 2
    assert as_lines["value"] == {"a": 1}
    assert long["size"] == 4097 and not {"value", "value_base64"} & set(long)
    assert empty["value"] == "" and empty["size"] == 0


def test_one_key_only(client, watch, key):
    name = key + "/ä b?&=%"
    stream = watch("key=" + quote(name, safe=""))
    client.put(name + "x", b"other")
    client.put(name[:-1], b"other")
    put = client.put(name, b"this")
    assert stream.next().data["version"] == put.header("Armazem-Version")


def test_what_changes_nothing_is_not_told(client, watch, key):
    stream = watch(of_prefix(key))
    made = client.put(key, b"1", {"Idempotency-Key": key})
    assert client.put(key, b"1", {"Idempotency-Key": key}).header("Armazem-Version") == made.header("Armazem-Version")
    assert client.put(key, b"2", {"If-None-Match": "*"}).status == 412
    assert client.delete(key + "/none").status == 404
    last = client.put(key, b"3")
    assert [stream.next().data["version"] for _ in range(2)] == versions_of([made, last])


def test_every_change_of_one_key_in_version_order(client, watch, key):
    stream = watch("key=" + key)
    answers = [client.put(key, b"%d" % number) for number in range(300)]
    told = [stream.next() for _ in answers]
    assert [event.data["version"] for event in told] == versions_of(answers)
    assert [event.data["value_base64" if "value_base64" in event.data else "value"] for event in told][-1] == "299"
    positions = [int(event.id.split("-")[1]) for event in told]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("by", ["header", "query"])
def test_goes_on_behind_the_last_event(client, watch, key, by):
    stream = watch(of_prefix(key))
    answers = [client.put(key, b"%d" % number) for number in range(10)]
    seen = [stream.next() for _ in range(4)]
    stream.close()
    answers += [client.put(key, b"%d" % number) for number in range(10)]
    resumed = watch(of_prefix(key), {"Last-Event-ID": seen[-1].id}) if by == "header" else \
        watch(of_prefix(key) + "&last_event_id=" + seen[-1].id)
    assert resumed.opening.id == seen[-1].id
    told = seen + [resumed.next() for _ in range(16)]
    assert [event.data["version"] for event in told] == versions_of(answers)


def test_begins_with_what_comes_after_its_answer(client, watch, key):
    client.put(key, b"before")
    stream = watch(of_prefix(key))
    after = client.put(key, b"after")
    assert stream.next().data["version"] == after.header("Armazem-Version")


def test_a_position_of_another_store_is_a_reset(client, watch, key):
    stream = watch(of_prefix(key), {"Last-Event-ID": "0123456789abcdef-1"})
    assert stream.opening.kind == "reset"
    assert stream.opening.data["reason"]
    put = client.put(key, b"x")
    assert stream.next().data["version"] == put.header("Armazem-Version")


def test_a_position_ahead_of_the_log_is_a_reset(client, watch, key):
    log, position = watch(of_prefix(key)).opening.id.split("-")
    stream = watch(of_prefix(key), {"Last-Event-ID": f"{log}-{int(position) + 1_000_000_000}"})
    assert stream.next().kind == "reset"
    put = client.put(key, b"x")
    assert stream.next().data["version"] == put.header("Armazem-Version")


@pytest.mark.parametrize("query, slug", [
    ("x=1", "query-invalid"), ("prefix=a&key=b", "query-invalid"), ("key=", "key-invalid"),
    ("prefix=" + "x" * 1025, "key-invalid"), ("prefix=%zz", "percent-encoding-invalid"),
    ("last_event_id=nonsense", "query-invalid")])
def test_bad_queries(client, query, slug):
    assert_problem(client.request("GET", "/watch?" + query), 400, slug)


def test_other_methods(client):
    assert_problem(client.request("PUT", "/watch", body=b""), 405, "method-not-allowed")
    assert client.request("OPTIONS", "/watch").header("Allow") == "GET, HEAD, OPTIONS"
    head = client.request("HEAD", "/watch")
    assert head.status == 200 and head.header("Content-Type") == "text/event-stream"
    assert client.request("GET", "/health/live").status == 200, "the connection goes on"


def test_a_mark_in_quiet_times(start_server, key):
    server = start_server("--watch-heartbeat", "300ms")
    stream = EventStream(server.address, of_prefix(key))
    other = Client(server.address)
    other.put("other", b"x")
    marks = [stream.mark().id for _ in range(3)]
    assert marks[-1] > stream.opening.id, "a mark moves on over changes that do not match"
    other.close()
    stream.close()


def test_goes_on_after_a_restart_and_after_a_kill(start_server, key):
    server = start_server()
    client = Client(server.address)
    stream = EventStream(server.address)
    answers = [client.put(key, b"%d" % number) for number in range(20)]
    last = [stream.next() for _ in range(10)][-1]
    client.close()
    server.stop()
    server.start()
    client = Client(server.address)
    answers += [client.put(key, b"%d" % number) for number in range(20)]
    server.kill()
    stream.close()
    client.close()
    server.start()
    stream = EventStream(server.address, headers={"Last-Event-ID": last.id})
    assert [stream.next().data["version"] for _ in range(30)] == versions_of(answers[10:])
    stream.close()


def test_another_data_directory_is_a_reset(start_server):
    first, second = start_server(), start_server()
    Client(first.address).put("a", b"1")
    stream = EventStream(first.address)
    resumed = EventStream(second.address, headers={"Last-Event-ID": stream.last_id})
    assert resumed.opening.kind == "reset"


def test_a_stop_ends_watches_properly(start_server, key):
    server = start_server()
    streams = [EventStream(server.address, of_prefix(key)) for _ in range(20)]
    client = Client(server.address)
    put = client.put(key, b"x")
    for stream in streams:
        assert stream.next().data["version"] == put.header("Armazem-Version")
    client.close()
    server.terminate()
    for stream in streams:
        assert stream.until_end() == []
    assert server.wait_exit() == 0


def test_a_watcher_that_hangs_up_is_forgotten(start_server, key):
    server = start_server()
    streams = [EventStream(server.address, of_prefix(key)) for _ in range(10)]
    assert watchers(server) == 10
    for stream in streams:
        stream.close()
    until(lambda: watchers(server) == 0, 10, "all watches are closed")


def test_a_watcher_that_does_not_read_is_cut_and_holds_nobody_up(start_server, key):
    server = start_server("--send-timeout", "1s")
    asleep = RawConnection(server.address)
    asleep.send(request_bytes("GET", "/watch"))
    awake = EventStream(server.address)
    client = Client(server.address)
    body = b"x" * 4000

    def write_until_cut():
        for _ in range(50):  # in the end more than the kernel buffers for a socket
            put = client.put(key, body)
            assert awake.next().data["version"] == put.header("Armazem-Version")
        return watchers(server) == 1

    until(write_until_cut, 60, "the one that sleeps is cut")
    last = client.put(key + "/last", b"x").header("Armazem-Version")
    assert awake.next().data["version"] == last
    client.close()
    awake.close()
    asleep.close()


def test_entries_and_watch_join_without_a_gap(client, watch, key):
    """How a copy is kept: watch first, then list, then take what the watch tells."""
    client.put(key + "/a", b"1")
    stream = watch(of_prefix(key))
    client.put(key + "/b", b"2")
    listed = client.request("GET", "/store?" + of_prefix(key)).json()["entries"]
    copy = {entry["key"]: entry["version"] for entry in listed}
    late = client.put(key + "/c", b"3")
    while late.header("Armazem-Version") not in copy.values():
        event = stream.next()
        if event.data["version"] > copy.get(event.data["key"], ""):
            copy[event.data["key"]] = event.data["version"]
    assert sorted(copy) == [key + "/a", key + "/b", key + "/c"]


def test_many_watchers_through_a_restart_of_the_server(start_server, tmp_path):
    server = start_server()
    groups = [f"g{number}" for number in range(10)]
    with Watchers([server.address], "many", groups, each=10, of_all=5, directory=tmp_path, seconds=100 * SCALE) as crowd:
        with Writers([server.address], "many", groups, rate=300) as writers:
            until(lambda: sum(map(len, writers.acknowledged.values())) > 300, 30, "writes before")
        server.stop()
        port = server.address[1]
        server.start(port)
        with Writers([server.address], "many", groups, rate=300) as more:
            until(lambda: sum(map(len, more.acknowledged.values())) > 300, 30, "writes after")
        for group in groups:
            writers.acknowledged[group] |= more.acknowledged[group]
        more.finish()
        summary, kept = crowd.finish()
    check(writers, summary, kept)
    assert summary["reconnects"] >= 105
