"""A raw HTTP/1.1 client: sends exactly the bytes it is given and reads answers strictly.

Ordinary client libraries repair what they send and forgive what they read; both would hide defects of the server.
"""
import json
import re
import select
import socket

from support.wait import SCALE

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t\x20-\x7e]*)")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
HEAD_BYTES_MAX = 64 * 1024
TIMEOUT_SECONDS = 15 * SCALE


class Closed(Exception):
    """The server closed the connection before the first byte of an answer."""


class BadAnswer(AssertionError):
    """The answer itself is not HTTP/1.1, or stops in the middle."""


class Response:
    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = b""
        self.interim = []  # the 1xx answers that came before this one

    def header(self, name):
        """The field's value, None when absent; a field that comes twice is an error here."""
        found = self.header_all(name)
        assert len(found) <= 1, f"{name} came {len(found)} times: {found}"
        return found[0] if found else None

    def header_all(self, name):
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def closes(self):
        return "close" in (self.header("Connection") or "").lower()

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:400]!r}>"


def request_bytes(method, target, headers=(), body=None, host="armazem.test"):
    """One request. Content-Length is added when there is a body and no framing header is given."""
    fields = list(headers.items() if isinstance(headers, dict) else headers)
    names = {name.lower() for name, _ in fields}
    if "host" not in names:
        fields.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        fields.append(("Content-Length", str(len(body))))
    head = [_bytes(method) + b" " + _bytes(target) + b" HTTP/1.1"]
    head += [_bytes(name) + b": " + _bytes(value) for name, value in fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + (body or b"")


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


class RawConnection:
    def __init__(self, address, timeout=TIMEOUT_SECONDS):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """Sends all of it. A server may answer and close before it has read everything: that is
        not an error here, the answer is waiting to be read. Returns False then."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server was first

    def _fill(self):
        """Reads once more; False at the end of the stream. A reset counts as an end."""
        if self.ended:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self.buffer += data
        return bool(data)

    def _take(self, size):
        while len(self.buffer) < size:
            if not self._fill():
                raise BadAnswer(f"closed after {len(self.buffer)} of {size} body bytes")
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _take_line(self):
        while b"\r\n" not in self.buffer:
            if not self._fill():
                raise BadAnswer(f"closed within a line: {self.buffer[:200]!r}")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_BYTES_MAX:
                raise BadAnswer("answer head too large")
            if not self._fill():
                if self.buffer:
                    raise BadAnswer(f"closed within the answer's head: {self.buffer[:200]!r}")
                raise Closed()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        status = STATUS_LINE.fullmatch(lines[0])
        if not status:
            raise BadAnswer(f"bad status line {lines[0]!r}")
        headers = []
        for line in lines[1:]:
            field = HEADER_LINE.fullmatch(line)
            if not field:
                raise BadAnswer(f"bad header line {line!r}")
            headers.append((field[1].decode("ascii"), field[2].decode("utf-8").rstrip()))
        return Response(int(status[1]), status[2].decode("ascii"), headers)

    def read_one(self, method="GET"):
        """The next answer, 1xx included. `method` is the one of its request: HEAD answers have no body."""
        response = self._read_head()
        coding = response.header("Transfer-Encoding")
        length = response.header("Content-Length")
        if response.status < 200 or response.status in (204, 304) or method == "HEAD":
            if response.status < 200 or response.status == 204:
                # RFC 9112 section 6.3 and RFC 9110 section 8.6
                assert coding is None and length is None, f"framing headers on a {response.status}"
            return response
        if coding is not None:
            assert coding.lower() == "chunked" and length is None, f"bad framing {response!r}"
            response.body = self._read_chunks()
        elif length is not None:
            assert re.fullmatch("[0-9]+", length), f"bad Content-Length {length!r}"
            response.body = self._take(int(length))
        else:
            while self._fill():
                pass
            response.body, self.buffer = self.buffer, b""
        return response

    def _read_chunks(self):
        body = b""
        while True:
            size = int(self._take_line().split(b";")[0], 16)
            if size == 0:
                while self._take_line():
                    pass
                return body
            body += self._take(size)
            assert self._take(2) == b"\r\n", "chunk without its line end"

    def read(self, method="GET"):
        """The next final answer; the 1xx answers before it are in .interim."""
        interim = []
        while True:
            response = self.read_one(method)
            if response.status >= 200:
                response.interim = interim
                return response
            interim.append(response)

    def exchange(self, data, method="GET"):
        self.send(data)
        return self.read(method)

    def readable(self, seconds):
        """Whether an answer byte or the end of the stream is there within `seconds`."""
        return bool(self.buffer) or self.ended or bool(select.select([self.socket], [], [], seconds)[0])

    def closed_by_server(self, seconds=10):
        """True when the server closes within `seconds` and sends nothing more before that."""
        self.socket.settimeout(seconds * SCALE)
        try:
            while self._fill():
                pass
        except TimeoutError:
            return False
        return self.buffer == b""
