"""The data directory: one process at a time, and a damaged one is refused and left exactly as it was."""
import hashlib
import re

import pytest

from support.server import StartFailed, Server, run_to_exit

# What the engine may write while it finds out that it must refuse: its lock and its own diary.
NO_DATA = re.compile(r"(.*/)?(LOCK|LOG|LOG\.old\.\d+)")


@pytest.fixture
def stopped(start_server, make_client):
    """A server with data that was stopped cleanly, and where its database files lie."""
    server = start_server()
    client = make_client(server)
    for number in range(20):
        assert client.put(f"kept-{number}", b"value %d" % number).status == 201
    client.close()
    server.stop()
    return server


def database(server):
    found = list(server.data.rglob("CURRENT"))
    assert len(found) == 1, f"no single CURRENT under {server.data}"
    return found[0].parent


def manifest(server):
    folder = database(server)
    return folder / (folder / "CURRENT").read_text().strip()


def snapshot(folder):
    files = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
    return {name: digest for name, digest in files.items() if not NO_DATA.fullmatch(name)}


def refused(data, *words):
    """Starting on `data` ends by itself with an error code and a message that names the directory and one of the words."""
    code, printed = run_to_exit("serve", "--port", "0", "--log-format", "json", "--data", data)
    assert 0 < code < 128, f"exit code {code}:\n{printed}"
    assert '"listening"' not in printed, printed
    assert str(data) in printed, f"the message does not name {data}:\n{printed}"
    assert re.search("|".join(words), printed, re.IGNORECASE), f"none of {words} in:\n{printed}"
    assert "terminate called" not in printed and "Assertion" not in printed, printed
    return printed


def flip(path, at, count=1):
    data = bytearray(path.read_bytes())
    assert len(data) > at, f"{path} has only {len(data)} bytes"
    for place in range(at, min(at + count, len(data))):
        data[place] ^= 0xFF
    path.write_bytes(data)


def truncate(path, size):
    path.write_bytes(path.read_bytes()[:size])


# MANIFEST: bytes 0..3 are the first record's checksum, 4..5 its length, from 7 on its content.
DAMAGES = {
    "manifest-content-flipped": lambda server: flip(manifest(server), 10),
    "manifest-checksum-flipped": lambda server: flip(manifest(server), 0, 4),
    "manifest-wholly-flipped": lambda server: flip(manifest(server), 0, 1 << 20),
    "manifest-empty": lambda server: truncate(manifest(server), 0),
    "manifest-cut-in-its-first-record": lambda server: truncate(manifest(server), 20),
    "manifest-missing": lambda server: manifest(server).unlink(),
    "current-empty": lambda server: truncate(database(server) / "CURRENT", 0),
    "current-flipped": lambda server: flip(database(server) / "CURRENT", 0, 100),
    "current-cut": lambda server: truncate(database(server) / "CURRENT", 5),
    "current-names-nothing": lambda server: (database(server) / "CURRENT").write_text("MANIFEST-999999\n"),
    # An engine told to create what is missing would begin anew here and delete the old files.
    "current-missing": lambda server: (database(server) / "CURRENT").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_database_is_refused_and_left_alone(stopped, damage):
    damage(stopped)
    before = snapshot(stopped.data)
    for _ in range(2):  # the second start must not find it 'repaired' by the first
        refused(stopped.data, "corrupt", "damage", "manifest", "current")
        assert snapshot(stopped.data) == before


def test_undamaged_database_passes_the_same_way(stopped, make_client):
    """The test's own hands must not be what is refused above."""
    path = manifest(stopped)
    flip(path, 10)
    flip(path, 10)
    stopped.restart()
    client = make_client(stopped)
    for number in range(20):
        assert client.get_raw(f"kept-{number}").body == b"value %d" % number


def test_garbage_directory(stopped, owns_process, tmp_path, seeded):
    """Files with the engine's names and noise inside, beside somebody's letter."""
    folder = tmp_path / database(stopped).relative_to(stopped.data)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CURRENT").write_text("MANIFEST-000001\n")
    (folder / "MANIFEST-000001").write_bytes(seeded.randbytes(5000))
    (folder / "000002.log").write_bytes(seeded.randbytes(5000))
    (folder / "letter.txt").write_text("Dear aunt")
    before = snapshot(tmp_path)
    refused(tmp_path, "corrupt", "damage", "manifest", "current")
    assert snapshot(tmp_path) == before


def test_data_path_that_is_a_file(owns_process, tmp_path):
    path = tmp_path / "file"
    path.write_text("not a directory")
    refused(path, "directory", "not a", "exists")
    assert path.read_text() == "not a directory"


def test_second_process_on_the_same_directory(start_server, make_client, key):
    server = start_server()
    client = make_client(server)
    client.put(key, b"x")
    for _ in range(2):
        refused(server.data, "lock", "in use", "already", "another")
    assert client.get_raw(key).body == b"x"
    assert client.put(key, b"y").status == 200


def test_directory_is_free_again_after_a_kill(start_server, make_client, key):
    server = start_server()
    make_client(server).put(key, b"x")
    server.kill()
    server.restart()
    assert make_client(server).get_raw(key).body == b"x"


def test_missing_directory_is_made_or_refused_by_name(owns_process, tmp_path):
    path = tmp_path / "not" / "there" / "yet"
    server = Server(data=path)
    try:
        server.start()
        assert path.is_dir()
    except StartFailed as failed:
        assert str(path) in str(failed)
    finally:
        server.close()


def test_two_servers_on_two_directories(start_server, make_client, key):
    first, second = make_client(start_server()), make_client(start_server())
    first.put(key, b"x")
    assert second.get(key).status == 404
