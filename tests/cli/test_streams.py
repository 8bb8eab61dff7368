"""armazem list and watch."""
import json

from support.commands import finish, url_of
from support.wait import until


def put_all(client, prefix, names):
    return {name: client.put(prefix + name, name.encode(), {"Content-Type": "text/plain"}).header("Armazem-Version") for name in names}


def test_list(ask, client, key):
    versions = put_all(client, key + "/", ["b", "a", "ç 😀", "d"])
    assert ask("list", key + "/").out.decode().splitlines() == [f"{key}/{name}" for name in ("a", "b", "d", "ç 😀")]
    assert ask("list", key + "/", "--limit", "2").out.decode().splitlines() == [key + "/a", key + "/b"]
    long = ask("list", key + "/a", "--long").out.decode()
    assert versions["a"] in long and "text/plain" in long and long.endswith(key + "/a\n")
    entries = [json.loads(line) for line in ask("list", key + "/", "--json", "--values").out.splitlines()]
    assert [entry["value"] for entry in entries] == ["a", "b", "d", "ç 😀"]
    assert "value" not in json.loads(ask("list", key + "/a", "--json").out)
    assert ask("list", key + "/none").out == b""


def test_more_than_a_page(ask, client, key):
    operations = [{"op": "put", "key": f"{key}/{number:05}", "value": "x"} for number in range(1000)]
    for part in range(3):
        body = json.dumps({"operations": [{**operation, "key": operation["key"] + str(part)} for operation in operations]})
        assert client.request("POST", "/batch", {"Content-Type": "application/json"}, body.encode()).status == 200
    assert len(ask("list", key + "/").out.splitlines()) == 3000


def test_errors_of_lists(ask, fake_server, begin, run):
    nobody = run("list", "--url", "http://127.0.0.1:1")
    assert nobody.code == 4 and "127.0.0.1:1" in nobody.err
    cut = fake_server(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"1b\r\n{\"key\":\"a\",\"version\":\"v\"}\n\n\r\n0\r\n\r\n")
    done = run("list", "--url", url_of(cut))
    assert done.code in (3, 4) and done.err, done


def test_watch(begin, server, client, key):
    process = begin("watch", "--url", url_of(server), key + "/", "--json", "--count", "3")
    # The command says nothing until something changes, so changes are made until it has seen three.
    until(lambda: (client.put(key + "/a", b"1", {"Content-Type": "text/plain"}), process.poll() is not None)[1], 20, "three events", every=0.1)
    events = [json.loads(line) for line in finish(process).out.splitlines()]
    assert len(events) == 3 and all(event["event"] == "put" and event["key"] == key + "/a" and event["value"] == "1" for event in events)
    assert [event["version"] for event in events] == sorted({event["version"] for event in events})


def test_watch_comes_back_after_a_restart(start_server, make_client, begin):
    server = start_server()
    port = server.address[1]
    process = begin("watch", "--url", url_of(server), "--json", "--count", "40")
    client = make_client(server)
    written = [client.put("warm", b"up").header("Armazem-Version")]

    def watching():
        from support.metrics import fetch_metrics
        return fetch_metrics(server.address).value("armazem_watchers") == 1
    until(watching, 20, "the watch to be open")
    written = [client.put("k", b"%d" % number).header("Armazem-Version") for number in range(20)]
    client.close()
    server.stop()
    server.start(port)
    client = make_client(server)
    written += [client.put("k", b"%d" % number).header("Armazem-Version") for number in range(20)]
    done = finish(process, seconds=60) if "seconds" in finish.__code__.co_varnames else finish(process)
    told = [json.loads(line)["version"] for line in done.out.splitlines()]
    assert [version for version in told if version in written] == [version for version in written if version in told]
    assert len(told) == 40 and len(set(told)) == 40 and done.code == 0, done


def test_watch_for_people(begin, server, client, key):
    process = begin("watch", "--url", url_of(server), "--key", key, "--count", "1")
    until(lambda: (client.put(key, b"1"), process.poll() is not None)[1], 20, "an event", every=0.1)
    line = finish(process).out
    assert line.startswith("put") and line.rstrip().endswith(key) and "\x1b" not in line


def test_watch_that_cannot_begin(run, server):
    refused = run("watch", "--url", url_of(server), "--from", "nonsense")
    assert refused.code == 3 and "event id" in refused.err
    assert run("watch", "--url", "http://127.0.0.1:1").code == 4
