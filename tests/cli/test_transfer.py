"""armazem export and import: what comes back is what was there, with versions and expiry, however often it was cut."""
import gzip
import json
import os
import subprocess

import pytest

from support.commands import finish, start, url_of
from support.server import binary, child_environment

VALUES = {
    "text": (b"Ol\xc3\xa1", "text/plain; charset=utf-8"),
    "json": (b'{\n  "a": 1.50,\r\n "b": [ ] }', "application/json"),
    "bytes": (bytes(range(256)), "image/png"),
    "empty": (b"", "application/octet-stream"),
    "a/b//c/..": (b"x", "text/plain"),
    "line\nbreak \"quoted\" \\ 😀": (b"two\nlines", "text/plain"),
    "long": (b"0123456789" * 20_000, "text/plain"),
}


@pytest.fixture
def two(start_server):
    return start_server(), start_server()


def fill(client, count=0):
    for name, (value, kind) in VALUES.items():
        assert client.put(name, value, {"Content-Type": kind}).status == 201
    assert client.put("expires", b"soon", {"Armazem-TTL": "86400"}).status == 201
    for first in range(0, count, 1000):
        operations = [{"op": "put", "key": f"many/{number:07}", "value": f"value {number}"} for number in range(first, min(count, first + 1000))]
        assert client.request("POST", "/batch", {"Content-Type": "application/json"}, json.dumps({"operations": operations}).encode()).status == 200


def all_of(server):
    done = finish(start("export", "--url", url_of(server), "--quiet"))
    assert done.code == 0, done
    return done.out.encode()


def transfer(command, server, *args):
    return finish(start(command, "--url", url_of(server), *map(str, args)))


@pytest.mark.parametrize("name", ["all.ndjson", "all.ndjson.gz"])
def test_there_and_back(two, make_client, tmp_path, name):
    old, new = two
    fill(make_client(old), 2500)
    out = transfer("export", old, "--to", tmp_path / name)
    assert out.code == 0 and "2508 keys" in out.err, out
    data = (gzip.open if name.endswith("gz") else open)(tmp_path / name, "rb").read()
    assert len(data.splitlines()) == 2508 and not (tmp_path / (name + ".partial")).exists()
    into = transfer("import", new, "--from", tmp_path / name)
    assert into.code == 0 and "2508 keys" in into.err, into
    assert all_of(new) == all_of(old), "versions, expiry and bytes are the same"
    client = make_client(new)
    for key, (value, kind) in VALUES.items():
        answer = client.get(key, query="?raw")
        assert answer.body == value and answer.header("Content-Type") == kind, key
    assert client.head("expires").header("Armazem-Expires")
    again = transfer("import", new, "--from", tmp_path / name)
    assert again.code == 0 and all_of(new) == all_of(old)


def test_through_a_pipe(two, make_client):
    old, new = two
    fill(make_client(old))
    command = f"'{binary()}' export --quiet --url {url_of(old)} | '{binary()}' import --quiet --url {url_of(new)}"
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, timeout=60, env=child_environment())
    assert all_of(new) == all_of(old)


def test_only_a_prefix(two, make_client, tmp_path):
    fill(make_client(two[0]), 10)
    done = transfer("export", two[0], "--prefix", "many/", "--to", tmp_path / "x")
    assert done.code == 0 and len((tmp_path / "x").read_text().splitlines()) == 10


def test_what_is_newer_stays(two, make_client, tmp_path):
    old, new = two
    fill(make_client(old))
    transfer("export", old, "--to", tmp_path / "x")
    client = make_client(new)
    client.put("text", b"newer")
    done = transfer("import", new, "--from", tmp_path / "x")
    assert done.code == 0 and "1 of them" in done.err, done
    assert client.get("text", query="?raw").body == b"newer"


def test_a_cut_export_goes_on(two, make_client, tmp_path):
    server, _ = two
    fill(make_client(server), 3000)
    whole = all_of(server)
    partial = tmp_path / "x.partial"
    partial.write_bytes(whole[:len(whole) // 2 + 7])
    done = transfer("export", server, "--to", tmp_path / "x", "--resume")
    assert done.code == 0 and (tmp_path / "x").read_bytes() == whole, done.err
    partial.write_bytes(b'{"key":"other","version":"v"}\n')
    refused = transfer("export", server, "--to", tmp_path / "x", "--resume", "--prefix", "many/")
    assert refused.code == 6 and "--resume" in refused.err
    assert transfer("export", server, "--to", tmp_path / "y.gz", "--resume").code == 6


def test_the_server_is_killed_in_the_middle(start_server, make_client, tmp_path):
    server = start_server()
    port = server.address[1]
    fill(make_client(server), 20_000)
    whole = all_of(server)
    (tmp_path / "x").write_bytes(whole)
    target = start_server()
    target_port = target.address[1]
    process = start("import", "--url", url_of(target), "--from", tmp_path / "x")
    for _ in range(2):
        target.kill()
        target.start(target_port)
    done = finish(process)
    assert done.code == 0, done
    assert all_of(target) == whole
    assert port


def test_lines_that_are_none(two, tmp_path, make_client):
    file = tmp_path / "x"
    good = json.dumps({"key": "a", "version": "0193a1b2-c3d4-7001-8abc-0123456789ab", "size": 1, "content_type": "text/plain", "value": "x"})
    bad_version = good.replace("0193a1b2", "nonsense").replace('"a"', '"b"')
    file.write_text("\n".join([good, "{broken", '{"key":"c"}', bad_version, "", good.replace('"a"', '"d"')]))
    dry = transfer("import", two[0], "--from", file, "--dry-run")
    assert dry.code == 3 and "line 2" in dry.err and "line 3" in dry.err
    assert make_client(two[0]).get("a").status == 404
    done = transfer("import", two[0], "--from", file)
    assert done.code == 3 and all(f"line {number}" in done.err for number in (2, 3, 4)) and "3 lines" in done.err, done
    client = make_client(two[0])
    assert client.get("a").json() == {"value": "x"} and client.get("d").status == 200 and client.get("b").status == 404
    skipped = transfer("import", two[1], "--from", file, "--skip", "5")
    assert skipped.code == 0 and make_client(two[1]).get("a").status == 404


def test_files_that_cannot_be_used(server, tmp_path):
    assert transfer("import", server, "--from", tmp_path / "none").code == 6
    assert transfer("export", server, "--to", tmp_path / "no" / "such").code == 6
    damaged = tmp_path / "x.gz"
    damaged.write_bytes(gzip.compress(os.urandom(10_000))[:5000])
    assert transfer("import", server, "--from", damaged).code in (3, 6)


def test_the_right_to_import(start_server, tmp_path):
    keys = tmp_path / "keys"
    made = {}
    for right in ("read,write,delete", "admin"):
        done = subprocess.run([binary(), "keys", "create", "--keys", str(keys), "--allow", right], capture_output=True, text=True, env=child_environment())
        made[right] = done.stdout.strip()
    server = start_server("--keys", keys)
    file = tmp_path / "x"
    file.write_text(json.dumps({"key": "a", "version": "0193a1b2-c3d4-7001-8abc-0123456789ab", "value": "x"}) + "\n")
    for right, code in (("read,write,delete", 3), ("admin", 0)):
        done = finish(start("import", "--url", url_of(server), "--from", str(file), env={"ARMAZEM_API_KEY": made[right]}))
        assert done.code == code, done
