"""Watches over a raw connection: a strict reader of chunks and of server-sent events."""
import json
import re
import socket

from support.http_raw import RawConnection, request_bytes
from support.wait import Deadline


class Event:
    def __init__(self, kind, event_id, data):
        self.kind = kind  # "put", "delete", "reset", or None for a mere mark
        self.id = event_id
        self.data = json.loads(data) if data else None

    def __repr__(self):
        return f"<{self.kind} {self.id} {self.data}>"


def parse_event(block):
    """One block of the stream; fails on any line that no watch of ours sends."""
    kind = event_id = data = None
    for line in block.split("\n"):
        name, _, value = line.partition(": ")
        if name == "event" and kind is None:
            kind = value
        elif name == "id" and event_id is None:
            event_id = value
        elif name == "data" and data is None:
            data = value
        elif line.startswith(":"):
            pass
        else:
            assert re.fullmatch(r"retry: [0-9]+", line), f"unexpected line {line!r}"
    assert event_id and re.fullmatch(r"[0-9a-f]{16}-[0-9]+", event_id), block
    return Event(kind, event_id, data)


class EventStream:
    """One watch. `query` as in the address, without '?'."""

    def __init__(self, address, query="", headers=()):
        self.connection = RawConnection(address)
        target = "/watch" + ("?" + query if query else "")
        self.connection.send(request_bytes("GET", target, {"Accept": "text/event-stream", **dict(headers)}))
        self.buffer = b""
        self.text = ""
        self.ended = False
        self.last_id = None
        self.head = self._read_head()
        self.status = int(self.head.split(" ")[1])
        if self.status == 200:
            assert "\r\nTransfer-Encoding: chunked\r\n" in self.head, self.head
            first = self._next(Deadline(15))
            assert first is not None and first.kind in (None, "reset"), "a watch begins with its position"
            self.opening = first

    def close(self):
        self.connection.close()

    def next(self, seconds=15):
        """The next event that is not a mere mark."""
        deadline = Deadline(seconds)
        while True:
            event = self._next(deadline)
            assert event is not None, "the stream ended"
            if event.kind is not None:
                return event

    def mark(self, seconds=15):
        """The next mark."""
        event = self._next(Deadline(seconds))
        assert event is not None and event.kind is None, event
        return event

    def until_end(self, seconds=15):
        """All events up to the proper end of the stream."""
        deadline = Deadline(seconds)
        events = []
        while (event := self._next(deadline)) is not None:
            events.append(event)
        return events

    def _next(self, deadline):
        while "\n\n" not in self.text:
            if self.ended:
                assert not self.text, f"the stream ends inside an event: {self.text!r}"
                return None
            self._read_chunk(deadline)
        block, _, self.text = self.text.partition("\n\n")
        event = parse_event(block)
        self.last_id = event.id
        return event

    def _read_chunk(self, deadline):
        while b"\r\n" not in self.buffer:
            self._receive(deadline)
        size_line, _, self.buffer = self.buffer.partition(b"\r\n")
        assert re.fullmatch(rb"[0-9a-fA-F]+", size_line), size_line
        size = int(size_line, 16)
        while len(self.buffer) < size + 2:
            self._receive(deadline)
        assert self.buffer[size:size + 2] == b"\r\n"
        # A chunk of ours never cuts a character: each holds whole events. A proxy's may.
        self.rest = getattr(self, "rest", b"") + self.buffer[:size]
        whole = self.rest.rfind(b"\n\n") + 2 if b"\n\n" in self.rest else 0
        self.text += self.rest[:whole].decode("utf-8")
        self.rest = self.rest[whole:]
        self.buffer = self.buffer[size + 2:]
        self.ended = size == 0

    def _read_head(self):
        deadline = Deadline(15)
        while b"\r\n\r\n" not in self.buffer:
            self._receive(deadline)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head.decode("latin-1") + "\r\n"

    def _receive(self, deadline):
        sock = self.connection.socket
        sock.settimeout(max(0.01, deadline.left()))
        try:
            data = sock.recv(65536)
        except socket.timeout:
            raise AssertionError("nothing came in time") from None
        assert data, "the connection broke inside the stream"
        self.buffer += data
