"""A write is answered only after its log reached the disk: seen from outside, in the order of system calls."""
import re
import shutil
import signal
import subprocess

import pytest

from support.wait import until

# strace -f -y: "123 fdatasync(7</data/000004.log>) = 0", or in two lines when another thread comes between:
#               "123 fdatasync(7</data/000004.log> <unfinished ...>" and "123 <... fdatasync resumed>) = 0"
CALL = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$")
CALLS = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fdatasync,fsync"
RECEIVING = {"read", "readv", "recvfrom", "recvmsg"}
SENDING = {"write", "writev", "sendto", "sendmsg"}


class Trace:
    """strace attached to a running server, so that the server is started as ever."""

    def __init__(self, server, path):
        if not shutil.which("strace"):
            pytest.skip("strace is not installed")
        self.path = path
        self.errors = path.with_suffix(".errors")
        with open(self.errors, "wb") as errors:
            command = ["strace", "-f", "-y", "-s", "512", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(path), "-p", str(server.pid)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors)
        until(lambda: "attached" in self.said() or self.process.poll() is not None, 10, "strace attaches")
        if self.process.poll() is not None or "Operation not permitted" in self.said():
            self.stop()
            pytest.skip(f"strace may not attach here: {self.said().strip()}")

    def said(self):
        return self.errors.read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # detaches and leaves the server running
            self.process.wait(30)

    def calls(self):
        """Each call as (index of its first line, index of its last line, name, its whole text)."""
        begun, found = {}, []
        for index, line in enumerate(self.path.read_text(errors="replace").split("\n")):
            match = CALL.match(line)
            if not match:
                continue
            thread, resumed, name, rest = match.groups()
            if resumed:
                first, name, text = begun.pop(thread, (index, resumed, ""))
                found.append((first, index, name, text + rest))
            elif rest.endswith("<unfinished ...>"):
                begun[thread] = (index, name, rest)
            else:
                found.append((index, index, name, rest))
        return found


def create(client, key):
    return client.put(key, b"value"), "PUT", 201


def create_by_json(client, key):
    return client.put_json(key, "value"), "PUT", 201


def replace(client, key):
    client.put(key, b"before")
    return client.put(key, b"value"), "PUT", 200


def create_only(client, key):
    return client.put(key, b"value", {"If-None-Match": "*"}), "PUT", 201


def delete(client, key):
    client.put(key, b"before")
    return client.delete(key), "DELETE", 204


@pytest.mark.parametrize("write", [create, create_by_json, replace, create_only, delete])
def test_log_is_synced_between_request_and_answer(start_server, make_client, key, tmp_path, write):
    server = start_server()
    client = make_client(server)
    client.put("warm-up", b"x")
    trace = Trace(server, tmp_path / "trace")
    try:
        answer, method, status = write(client, key)
    finally:
        trace.stop()
    assert answer.status == status
    assert server.running()
    check(trace.calls(), str(server.data), method, key, status, answer.header("Armazem-Version"))


def check(calls, data, method, key, status, version):
    """The last request of that method with that key, its answer (known by its version), and a sync in between."""
    received = [last for _, last, name, text in calls if name in RECEIVING and f"{method} /store" in text and key in text]
    answered = [first for first, _, name, text in calls if name in SENDING and f"HTTP/1.1 {status}" in text and version in text]
    assert received, f"the {method} was not seen coming in"
    assert answered, f"the {status} was not seen going out"
    synced = [(first, last, text) for first, last, name, text in calls
              if name in ("fdatasync", "fsync") and data in text and ".log>" in text and re.search(r"= 0$", text)]
    between = [text for first, last, text in synced if received[-1] < first and last < answered[0]]
    assert between, f"no sync of a log file between request (line {received[-1]}) and answer (line {answered[0]}); syncs: {synced}"


class TestTheJudge:
    """Known-good and known-bad traces: the check must tell them apart."""

    RECEIVED = (0, 0, "recvmsg", '9<socket:[1]>, {msg_iov=[{iov_base="PUT /store/k HTTP/1.1"}]} = 100')
    SYNC = (2, 3, "fdatasync", "7</data/000004.log>) = 0")
    ANSWER = (5, 5, "sendmsg", '9<socket:[1]>, {msg_iov=[{iov_base="HTTP/1.1 201 Created\\r\\nETag: \\"v\\""}]} = 100')

    def test_good(self):
        check([self.RECEIVED, self.SYNC, self.ANSWER], "/data", "PUT", "k", 201, "v")

    @pytest.mark.parametrize("calls", [
        [RECEIVED, ANSWER], [RECEIVED, ANSWER, (6, 7, *SYNC[2:])], [RECEIVED, (4, 6, *SYNC[2:]), ANSWER], [(3, 3, *RECEIVED[2:]), SYNC, ANSWER],
        [RECEIVED, (2, 3, "fdatasync", "7</data/000004.log>) = -1 EIO (Input/output error)"), ANSWER],
        [RECEIVED, (2, 3, "fdatasync", "7</data/MANIFEST-000005>) = 0"), ANSWER], [RECEIVED, (2, 3, "fdatasync", "7</elsewhere/000004.log>) = 0"), ANSWER],
    ], ids=["none", "after", "ends-after", "begins-before", "failed", "other-file", "other-directory"])
    def test_bad(self, calls):
        with pytest.raises(AssertionError):
            check(calls, "/data", "PUT", "k", 201, "v")
