"""armazem backup: a copy of the data directory, while the server writes, after it stopped, and after it was killed."""
import threading

import pytest

from support.server import run_to_exit
from support.wait import until
from support.watching import EventStream

# Small, so that tables are flushed and merged while the copy is read.
SMALL_BUFFERS = ("--write-buffer", "1MiB", "--block-cache", "8MiB")


def back_up(data, to):
    code, printed = run_to_exit("backup", "--data", data, "--to", to, seconds=60)
    assert code == 0, printed
    assert not to.with_name(to.name + ".partial").exists()
    return printed


class Writers:
    """`with` runs threads that write increasing numbers into keys of their own; .acknowledged says how far each came."""

    PADDING = b"x" * 4000

    def __init__(self, make_client, server, threads=4, keys=50):
        self.clients = [make_client(server) for _ in range(threads)]
        self.keys = keys
        self.acknowledged = {}
        self.failures = []
        self.stop = threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run, args=(name, client), daemon=True) for name, client in enumerate(self.clients)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        assert self.failures == []

    def run(self, name, client):
        number = 0
        while not self.stop.is_set():
            number += 1
            for k in range(self.keys):
                key = f"w{name}-{k}"
                status = client.put(key, b"%d %s" % (number, self.PADDING)).status
                if status not in (200, 201):
                    self.failures.append((key, status))
                    return
                self.acknowledged[key] = number


def numbers(client, keys):
    return {key: int(client.get_raw(key).body.split()[0]) for key in keys}


def test_copies_while_the_server_writes(start_server, make_client, tmp_path):
    """Each copy has everything that was acknowledged before it began, and opens as the original would."""
    server = start_server(*SMALL_BUFFERS)
    promised = []
    with Writers(make_client, server) as writers:
        for round_number in range(4):
            least = (round_number + 1) * 2000  # about 8 MB more each time: some flushes of 0.5 MiB buffers
            until(lambda: sum(writers.acknowledged.copy().values()) >= least or writers.failures, 120, "the writers to come on")
            promised.append(writers.acknowledged.copy())
            back_up(server.data, tmp_path / f"copy-{round_number}")
    for round_number, before in enumerate(promised):
        restored = start_server(data=tmp_path / f"copy-{round_number}")
        client = make_client(restored)
        found = numbers(client, before)
        assert {key: number for key, number in found.items() if number < before[key]} == {}
        assert all(found[key] <= writers.acknowledged[key] for key in before), "nothing from the future"
        assert client.put("goes-on", b"x").status == 201
        restored.stop()
    # The original has not noticed.
    assert numbers(make_client(server), writers.acknowledged) == writers.acknowledged


@pytest.mark.parametrize("ended", ["stopped", "killed"])
def test_copy_of_a_directory_at_rest(start_server, make_client, tmp_path, ended):
    server = start_server()
    client = make_client(server)
    versions = {f"k{n}": client.put(f"k{n}", b"value %d" % n).header("ETag") for n in range(50)}
    assert client.delete("k0").status in (200, 204)
    assert client.put("typed", b"{}", {"Content-Type": "application/json"}).status == 201
    server.stop() if ended == "stopped" else server.kill()
    printed = back_up(server.data, tmp_path / "copy")
    assert printed.startswith("51 records"), printed  # the tombstone is one
    client = make_client(start_server(data=tmp_path / "copy"))
    assert client.get("k0").status == 404
    for key, version in list(versions.items())[1:]:
        response = client.get_raw(key)
        assert response.body == b"value " + key[1:].encode() and response.header("ETag") == version
    assert client.get_raw("typed").header("Content-Type") == "application/json"
    server.restart()  # the original is as usable as before


def refused(data, to, *words):
    code, printed = run_to_exit("backup", "--data", data, "--to", to)
    assert code == 1, printed
    assert all(word in printed for word in words), printed


def test_refusals_name_the_path_and_leave_it_alone(start_server, make_client, tmp_path):
    server = start_server()
    make_client(server).put("k", b"x")
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("Dear aunt")
    refused(server.data, full, str(full), "not an empty directory")
    assert [path.name for path in full.iterdir()] == ["letter.txt"]
    refused(server.data, server.data, str(server.data), "not an empty directory")
    refused(tmp_path / "nothing", tmp_path / "copy", "nothing", "no Armazém database")
    refused(full, tmp_path / "copy", str(full), "no Armazém database")
    assert not (tmp_path / "copy").exists() and not (tmp_path / "copy.partial").exists()


def test_a_copy_that_was_cut_short_is_begun_anew(start_server, make_client, tmp_path):
    server = start_server()
    make_client(server).put("k", b"x")
    left_over = tmp_path / "copy.partial" / "data"
    left_over.mkdir(parents=True)
    (left_over / "CURRENT").write_text("MANIFEST-000001\n")
    back_up(server.data, tmp_path / "copy")
    assert make_client(start_server(data=tmp_path / "copy")).get_raw("k").body == b"x"


def test_a_damaged_original_is_no_backup(start_server, make_client, tmp_path):
    """A block that fails its checksum ends it: a backup must not find out when it is needed."""
    server = start_server()
    client = make_client(server)
    for number in range(200):
        client.put(f"k{number}", b"%d" % number * 500)
    server.stop()
    # The two largest hold the records and the change log, of which only the first is copied.
    for table in sorted(server.data.rglob("*.sst"), key=lambda path: path.stat().st_size)[-2:]:
        content = bytearray(table.read_bytes())
        content[len(content) // 3] ^= 0xFF
        table.write_bytes(content)
    refused(server.data, tmp_path / "copy", "copying")
    assert not (tmp_path / "copy").exists() and not (tmp_path / "copy.partial").exists()


def test_only_the_embedded_store_has_backups(tmp_path):
    code, printed = run_to_exit("backup", "--to", tmp_path / "copy", env={"ARMAZEM_STORE": "postgres://u:p@127.0.0.1:1/d"})
    assert code == 1 and "operations.md" in printed, printed


def test_a_copy_begins_a_change_log_of_its_own(start_server, make_client, tmp_path):
    """After a restore the same positions would name other changes: who watched the original must be told."""
    server = start_server()
    make_client(server).put("k", b"1")
    stream = EventStream(server.address)
    back_up(server.data, tmp_path / "copy")
    copy = start_server(data=tmp_path / "copy")
    resumed = EventStream(copy.address, headers={"Last-Event-ID": stream.last_id})
    assert resumed.opening.kind == "reset"
    put = make_client(copy).put("k", b"2")
    assert resumed.next().data["version"] == put.header("Armazem-Version")
    stream.close()
    resumed.close()
