"""API keys: who may do what. Every cell of route × method × right is asserted, and so is whatever is wrong with a key."""
import json
import os
import stat
import subprocess
import time

import pytest

from support.checks import assert_problem
from support.client import Client
from support.server import Server, binary, child_environment, run_to_exit
from support.wait import until
from support.watching import EventStream

RIGHTS = ["read", "write", "delete", "admin"]
INSIDE, OUTSIDE = "team/thing", "other/thing"


def keys_command(*arguments):
    done = subprocess.run([binary(), "keys", *map(str, arguments)], capture_output=True, text=True, timeout=30,
                          env=child_environment())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def create(file, *arguments):
    return keys_command("create", "--keys", file, *arguments)


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """A server with one key for each right, all of them for keys under team/ (admin has no prefix)."""
    if os.environ.get("ARMAZEM_URL"):
        pytest.skip("ARMAZEM_URL is set: this test must own the server process")
    file = tmp_path_factory.mktemp("keys") / "keys.jsonl"
    keys = {right: create(file, "--allow", right, *(() if right == "admin" else ("--prefix", "team/"))) for right in RIGHTS}
    keys["everything"] = create(file, "--allow", "read,write,delete,admin")
    server = Server("--keys", file, "--bad-keys-per-minute", "0")
    try:
        yield server.start(), keys, file
    finally:
        server.close()


def batch(*operations):
    return json.dumps({"operations": list(operations)}).encode()


JSON = {"Content-Type": "application/json"}
# What is asked, with {key} for a key or prefix: (right that it needs, method, target, body)
GUARDED = {
    "get": ("read", "GET", "/store/{key}", None),
    "head": ("read", "HEAD", "/store/{key}", None),
    "put": ("write", "PUT", "/store/{key}", b"x"),
    "put in the body": ("write", "PUT", "/store", b'{"key":"{key}","value":"x"}'),
    "delete": ("delete", "DELETE", "/store/{key}", None),
    "list": ("read", "GET", "/store?prefix={key}", None),
    "list head": ("read", "HEAD", "/store?prefix={key}", None),
    "operation": ("read", "GET", "/operations/0193a1b2-c3d4-7001-8abc-0123456789ab?key={key}", None),
    "watch head": ("read", "HEAD", "/watch?prefix={key}", None),
    "watch key head": ("read", "HEAD", "/watch?key={key}", None),
    "metrics": ("admin", "GET", "/metrics", None),
}
IN_BATCH = {
    "get": ("read", {"op": "get"}),
    "put": ("write", {"op": "put", "value": "x"}),
    "delete": ("delete", {"op": "delete"}),
    "restore": ("admin", {"op": "restore", "value": "x", "version": "0193a1b2-c3d4-7001-8abc-0123456789ab"}),
}
OPEN = ["/health/live", "/health/ready", "/openapi.json", "/swagger-ui/index.html", "/"]


def ask(client, what, key, headers):
    _, method, target, body = GUARDED[what]
    fill = lambda text: text.replace("{key}", key)
    body = body if body is None else fill(body.decode()).encode()
    fields = {**headers, **(JSON if target == "/store" and method == "PUT" else {})}
    return client.request(method, fill(target), fields, body)


@pytest.mark.parametrize("where", [INSIDE, OUTSIDE])
@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("what", GUARDED)
def test_every_cell(ring, make_client, what, right, where):
    server, keys, _ = ring
    client = make_client(server)
    needed = GUARDED[what][0]
    answer = ask(client, what, where, bearer(keys[right]))
    allowed = right == needed and (needed == "admin" or where == INSIDE)
    if allowed:
        assert answer.status in (200, 201, 204, 404), answer
    elif GUARDED[what][1] == "HEAD":
        assert answer.status == 403, answer
    else:
        assert_problem(answer, 403, "forbidden")


@pytest.mark.parametrize("where", [INSIDE, OUTSIDE])
@pytest.mark.parametrize("right", RIGHTS)
def test_every_operation_of_a_batch(ring, make_client, right, where):
    server, keys, _ = ring
    operations = [{"key": where, **operation} for _, operation in IN_BATCH.values()]
    answer = make_client(server).request("POST", "/batch", {**JSON, **bearer(keys[right])}, batch(*operations))
    assert answer.status == 200, answer
    for (name, (needed, _)), result in zip(IN_BATCH.items(), answer.json()["results"]):
        allowed = right == needed and (needed == "admin" or where == INSIDE)
        if allowed:
            assert result["status"] in (200, 201, 204, 404), (name, result)
        else:
            assert result["status"] == 403 and result["problem"]["type"] == "urn:armazem:problem:forbidden", (name, result)


def test_a_refused_write_changes_nothing(ring, make_client):
    server, keys, _ = ring
    client = make_client(server)
    name = "other/untouched"
    assert client.put(name, b"before", bearer(keys["everything"])).status == 201
    for headers in (bearer(keys["write"]), bearer(keys["delete"]), {}):
        assert client.put(name, b"after", headers).status in (401, 403)
        assert client.delete(name, headers).status in (401, 403)
        assert client.request("POST", "/batch", {**JSON, **headers}, batch({"op": "put", "key": name, "value": "x"})).status in (200, 401)
    assert client.get(name, bearer(keys["everything"]), "?raw").body == b"before"


@pytest.mark.parametrize("target", ["/store", "/store?prefix=", "/store?prefix=t", "/store?prefix=team", "/watch", "/watch?prefix=team"])
def test_a_scope_must_cover_the_whole_prefix(ring, make_client, target):
    server, keys, _ = ring
    client = make_client(server)
    assert client.request("HEAD", target, bearer(keys["read"])).status == 403
    assert client.request("HEAD", target, bearer(keys["everything"])).status == 200


@pytest.mark.parametrize("spelling", ["/store/team%2Fthing", "/store/%74eam/thing", "/store/team/../team/thing"])
def test_the_decoded_key_counts(ring, make_client, spelling):
    server, keys, _ = ring
    client = make_client(server)
    assert client.request("GET", spelling, bearer(keys["read"])).status in (200, 404)
    assert client.request("GET", "/store/other%2Fteam/", bearer(keys["read"])).status == 403


@pytest.mark.parametrize("path", OPEN)
def test_what_is_open(ring, make_client, path):
    server, _, _ = ring
    assert make_client(server).request("GET", path).status == 200


@pytest.mark.parametrize("what", GUARDED)
def test_no_key(ring, make_client, what):
    server, _, _ = ring
    answer = ask(make_client(server), what, INSIDE, {})
    assert answer.status == 401 and answer.header("WWW-Authenticate") == 'Bearer realm="armazem"', answer
    if GUARDED[what][1] != "HEAD":
        assert_problem(answer, 401, "unauthenticated")


def wrong_secret(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("header", [
    lambda key: f"Bearer {wrong_secret(key)}", lambda key: f"Bearer 0000000000000000.{key.split('.')[1]}", lambda key: f"Bearer {key}x",
    lambda key: f"Bearer {key.replace('.', '')}", lambda key: key, lambda key: f"Basic {key}", lambda key: "Bearer ", lambda key: "",
    lambda key: f"Bearer {key} {key}", lambda key: f"Bearer {key.split('.')[0]}."],
    ids=["secret", "id", "longer", "no dot", "no scheme", "basic", "empty key", "empty", "two", "no secret"])
def test_wrong_keys(ring, make_client, header):
    server, keys, _ = ring
    answer = make_client(server).get(INSIDE, {"Authorization": header(keys["everything"])})
    assert_problem(answer, 401, "unauthenticated")


def test_the_scheme_is_case_insensitive(ring, make_client):
    server, keys, _ = ring
    assert make_client(server).get(INSIDE, {"Authorization": f"bEARER {keys['read']}"}).status in (200, 404)


def status_with(client, key):
    return client.get(INSIDE, bearer(key)).status


def test_revoked_expired_and_new_keys_without_a_restart(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    first = create(file, "--allow", "read")
    server = start_server("--keys", file)
    client = make_client(server)
    assert status_with(client, first) == 404
    second = create(file, "--allow", "read", "--expires", "3s")
    until(lambda: status_with(client, second) == 404, 2.9, "the new key to be known")
    until(lambda: status_with(client, second) == 401, 10, "the key to expire")
    keys_command("revoke", "--keys", file, first.split(".")[0])
    until(lambda: status_with(client, first) == 401, 10, "the key to be revoked")
    listed = [json.loads(line) for line in keys_command("list", "--keys", file, "--json").splitlines()]
    assert [entry["state"] for entry in listed] == ["revoked", "expired"], listed
    assert first.split(".")[1] not in file.read_text() and stat.S_IMODE(os.stat(file).st_mode) == 0o600


def test_a_broken_file_keeps_the_keys(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    key = create(file, "--allow", "read")
    server = start_server("--keys", file)
    client = make_client(server)
    good = file.read_text()
    file.write_text(good + "{nonsense\n")
    until(lambda: "keys" in server.log() and '"level":"error"' in server.log(), 10, "the broken file to be logged")
    assert status_with(client, key) == 404
    file.write_text(good)
    other = create(file, "--allow", "read")
    until(lambda: status_with(client, other) == 404, 10, "the mended file")


def test_a_watch_ends_with_its_key(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    reader, writer = create(file, "--allow", "read"), create(file, "--allow", "write")
    server = start_server("--keys", file, "--watch-heartbeat", "200ms")
    stream = EventStream(server.address, "prefix=a", bearer(reader))
    client = make_client(server)
    client.put("a", b"1", bearer(writer))
    assert stream.next().data["key"] == "a"
    keys_command("revoke", "--keys", file, reader.split(".")[0])
    assert stream.until_end(20) is not None
    client.put("a", b"2", bearer(writer))
    refused = EventStream(server.address, "prefix=a", bearer(reader))
    assert refused.status == 401
    refused.close()


def test_wrong_keys_are_counted(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    key = create(file, "--allow", "read")
    server = start_server("--keys", file, "--bad-keys-per-minute", "5")
    client = make_client(server)
    answers = [client.get(INSIDE, bearer(wrong_secret(key))) for _ in range(8)]
    assert [answer.status for answer in answers] == [401] * 5 + [429] * 3
    assert int(answers[-1].header("Retry-After")) >= 1
    assert_problem(answers[-1], 429, "too-many-requests")
    assert status_with(client, key) == 404, "who has a right key is not kept out by others' wrong ones"


@pytest.mark.parametrize("option, asks", [("--rate-per-key", True), ("--rate-per-address", False)])
def test_rates(start_server, make_client, tmp_path, option, asks):
    file = tmp_path / "keys.jsonl"
    key, other = create(file, "--allow", "read"), create(file, "--allow", "read")
    server = start_server(option, "1:10", "--keys", file)
    client = make_client(server)
    statuses = [status_with(client, key) for _ in range(30)]
    assert statuses[:10] == [404] * 10 and statuses.count(429) >= 5, statuses
    assert (status_with(client, other) == 404) == asks, "a key's rate is its own"
    assert client.request("GET", "/health/live").status == 200
    begun = time.monotonic()
    until(lambda: status_with(client, key) == 404, 15, "the next token")
    assert time.monotonic() - begun < 15


def test_the_log_names_ids_and_nothing_else(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    key = create(file, "--allow", "read", "--prefix", "mine/")
    server = start_server("--keys", file)
    client = make_client(server)
    client.get("secret-name", bearer(key))
    client.get("secret-name", bearer(wrong_secret(key)))
    client.get("secret-name")
    lines = until(lambda: [line for line in map(json.loads, server.log().splitlines()) if line["msg"] == "access"][2:] and
                  [line for line in map(json.loads, server.log().splitlines()) if line["msg"] == "access"], 10, "three lines")
    assert [line["reason"] for line in lines] == ["forbidden", "bad-key", "no-key"], lines
    assert lines[0]["key_id"] == key.split(".")[0] and lines[0]["outcome"] == "denied" and lines[0]["right"] == "read"
    assert "secret-name" not in server.log() and key.split(".")[1] not in server.log()


def test_administrative_operations_are_in_the_log(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    admin, reader = create(file, "--allow", "admin"), create(file, "--allow", "read")
    server = start_server("--keys", file)
    client = make_client(server)
    restore = batch({"op": "restore", "key": "a", "value": "x", "version": "0193a1b2-c3d4-7001-8abc-0123456789ab"})
    # Wrong secrets under the same id take none of its lines.
    for _ in range(100):
        client.get("x", bearer(wrong_secret(admin)))
    for key in (admin, reader):
        assert client.request("POST", "/batch", {**JSON, **bearer(key)}, restore).status == 200

    def allowed():
        lines = [json.loads(line) for line in server.log().splitlines() if '"access"' in line]
        return [line for line in lines if line["outcome"] == "allowed"]

    until(allowed, 10, "the line of the restore")
    assert [(line["operation"], line["key_id"]) for line in allowed()] == [("restore", admin.split(".")[0])]


def test_others_than_this_machine_need_keys(tmp_path, owns_process):
    data = ("--port", "0", "--data", str(tmp_path / "data"))
    code, printed = run_to_exit("serve", *data, "--listen", "0.0.0.0")
    assert code == 2 and "--keys" in printed and "--without-keys" in printed, printed
    code, printed = run_to_exit("serve", *data, "--keys", str(tmp_path / "none.jsonl"))
    assert code not in (0, None) and "none.jsonl" in printed, printed
    file = tmp_path / "keys.jsonl"
    create(file, "--allow", "read")
    code, printed = run_to_exit("serve", *data, "--keys", str(file), "--without-keys")
    assert code == 2 and "contradict" in printed, printed
    file.chmod(0o666)
    code, printed = run_to_exit("serve", *data, "--keys", str(file))
    assert code not in (0, None) and "chmod 600" in printed, printed


@pytest.mark.parametrize("arguments", [[], ["--allow", "fly"], ["--allow", "read,read"], ["--allow", "admin", "--prefix", "a"],
                                       ["--prefix", "a"], ["--scope", "fly:a"], ["--allow", "read", "--expires", "soon"]])
def test_keys_that_cannot_be_made(tmp_path, owns_process, arguments):
    done = subprocess.run([binary(), "keys", "create", "--keys", str(tmp_path / "k"), *arguments], capture_output=True, text=True,
                          timeout=30, env=child_environment())
    assert done.returncode != 0 and done.stderr and done.stdout == "", done
    assert not (tmp_path / "k").exists()


def test_a_listener_for_administration(start_server, make_client, tmp_path):
    file = tmp_path / "keys.jsonl"
    create(file, "--allow", "read")
    server = start_server("--keys", file, "--admin-listen", "127.0.0.1:0")
    admin = next(json.loads(line) for line in server.log().splitlines() if '"administration"' in line)

    class There:
        address = (admin["address"], admin["port"])

    inside, outside = make_client(There), make_client(server)
    for path in ("/metrics", "/openapi.json", "/", "/health/ready"):
        assert inside.request("GET", path).status == 200, path
    assert_problem(inside.request("GET", "/store/a"), 404, "route-not-found")
    for path in ("/metrics", "/openapi.json", "/"):
        assert_problem(outside.request("GET", path), 404, "route-not-found")
    assert outside.request("GET", "/health/ready").status == 200
