"""A full disk: writes are refused in words, reads go on, room makes writes work again without a restart.

The disk is a small tmpfs in a mount namespace of its own, which disappears with its last process.
"""
import os
import subprocess
from pathlib import Path

import pytest

from support.checks import assert_problem, problem_slug
from support.wait import until

DISK_MIB = 48
BALLAST_BYTES = 20 * 1024 * 1024
VALUE_BYTES = 128 * 1024
WRITES_MAX = 2 * DISK_MIB * 1024 * 1024 // VALUE_BYTES


class SmallDisk:
    """`enter` is the command prefix that runs a program where the disk is mounted; `seen` is the way to it from outside."""

    def __init__(self, folder):
        script = f"mount -t tmpfs -o size={DISK_MIB}m armazem-test '{folder}' && echo mounted && exec cat"
        self.holder = subprocess.Popen(["unshare", "-rm", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline() != b"mounted\n":
            self.holder.stdin.close()
            pytest.skip(f"mounting a tmpfs is not permitted here: {self.holder.stderr.read().decode().strip()}")
        pid = self.holder.pid
        self.folder = folder
        self.enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(pid), "--"]
        self.seen = Path(f"/proc/{pid}/root") / folder.relative_to("/")

    def close(self):
        self.holder.stdin.close()  # ends the cat, and with it the namespace
        self.holder.wait()
        for stream in (self.holder.stdout, self.holder.stderr):
            stream.close()


@pytest.fixture
def disk(owns_process, tmp_path):
    try:
        made = SmallDisk(tmp_path)
    except FileNotFoundError as missing:
        pytest.skip(f"mounting a tmpfs needs {missing.filename}")
    yield made
    made.close()


def fill(client, written, unknown, randbytes):
    """Writes until refused for certain; gives the refusal. Random bytes, so that no compression makes room.
    A write that meets the end of the disk itself may be answered 504: then it is there wholly or not at all."""
    for number in range(WRITES_MAX):
        name, value = f"fill-{number}", randbytes(VALUE_BYTES)
        answer = client.put(name, value)
        if answer.status == 504:
            assert_problem(answer, 504, "outcome-unknown")
            unknown[name] = value
        elif answer.status == 201:
            written[name] = value
        else:
            return answer
    raise AssertionError(f"{len(written)} values of {VALUE_BYTES} bytes went onto a disk of {DISK_MIB} MiB, {len(unknown)} unknown")


def assert_all_there(client, written):
    for name, value in written.items():
        got = client.get_raw(name)
        assert got.status == 200 and got.body == value, f"{name}: {got.status}"


def assert_whole_or_absent(client, unknown):
    for name, value in unknown.items():
        got = client.get_raw(name)
        assert got.status == 404 or got.body == value, f"{name}: {got.status}, {len(got.body)} bytes"


def test_disk_full_and_room_again(disk, start_server, make_client, seeded):
    ballast = disk.seen / "ballast"
    ballast.write_bytes(b"\0" * BALLAST_BYTES)
    (disk.seen / "data").mkdir()
    server = start_server("--store-reserve", "4MiB", data=disk.folder / "data", prefix=disk.enter)
    client = make_client(server)

    written, unknown = {}, {}
    refusal = fill(client, written, unknown, seeded.randbytes)
    assert written, f"nothing could be written at all: {refusal!r}"
    assert_problem(refusal, 503, "store-full", "store-unavailable")
    usage = os.statvfs(disk.seen)
    print(f"refused with {problem_slug(refusal)} after {len(written)} values and {len(unknown)} unknown, {usage.f_bavail * usage.f_frsize} bytes free")

    # Reads go on, refusals stay refusals, and a refused write leaves nothing behind.
    assert_all_there(client, written)
    assert_whole_or_absent(client, unknown)
    again = client.put("fill-refused", b"x" * VALUE_BYTES)
    assert_problem(again, 503, "store-full", "store-unavailable")
    assert client.get("fill-refused").status == 404
    assert client.request("GET", "/health/live").status == 200

    ballast.unlink()
    until(lambda: client.put("after", b"room again").status in (200, 201), 60, "writes succeed again without a restart", every=0.1)
    more = {f"more-{number}": seeded.randbytes(VALUE_BYTES) for number in range(20)}
    for name, value in more.items():
        assert client.put(name, value).status == 201
    written |= more
    assert_all_there(client, written)
    assert client.get("fill-refused").status == 404

    client.close()
    server.kill()
    server.restart()
    client = make_client(server)
    assert_all_there(client, written)
    assert_whole_or_absent(client, unknown)
    assert client.get_raw("after").body == b"room again"


def test_start_on_a_full_disk(disk, start_server, make_client):
    """After a stop the disk fills up from elsewhere: the data must still be readable, or the refusal must be clear."""
    (disk.seen / "data").mkdir()
    server = start_server("--store-reserve", "4MiB", data=disk.folder / "data", prefix=disk.enter)
    client = make_client(server)
    assert client.put("kept", b"value").status == 201
    client.close()
    server.stop()
    with open(disk.seen / "ballast", "wb") as ballast:
        try:
            while True:
                ballast.write(b"\0" * 65536)
                ballast.flush()
        except OSError:
            pass  # full
    try:
        server.restart()
    except AssertionError:
        assert 0 < server.process.returncode < 128, server.log_tail()
        assert "space" in server.log().lower() or "full" in server.log().lower(), server.log_tail()
    else:
        client = make_client(server)
        assert client.get_raw("kept").body == b"value"
        assert_problem(client.put("refused", b"x"), 503, "store-full", "store-unavailable")
        client.close()
        server.stop()
    (disk.seen / "ballast").unlink()
    server.restart()
    assert make_client(server).get_raw("kept").body == b"value"
