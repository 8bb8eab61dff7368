"""As much of AMQP 0-9-1 as it takes to find out what a user may do. One channel, no heartbeats, blocking."""
import socket
import struct

METHOD, HEADER, BODY = 1, 2, 3


class Refused(Exception):
    """The server closed the channel or the connection; .code is AMQP's reply code (403: access refused)."""

    def __init__(self, code, text):
        super().__init__(f"{code} {text}")
        self.code = code


def short(text):
    return bytes([len(text)]) + text.encode()


def long(data):
    return struct.pack(">I", len(data)) + data


class Amqp:
    def __init__(self, port, user, password, vhost="armazem"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(b"AMQP\x00\x00\x09\x01")
        try:
            self._expect(10, 10)
            self._send(0, 10, 11, long(b"") + short("PLAIN") + long(f"\0{user}\0{password}".encode()) + short("en_US"))
            self._expect(10, 30)
            self._send(0, 10, 31, struct.pack(">HIH", 1, 131072, 0))
            self._send(0, 10, 40, short(vhost) + short("") + b"\0")
            self._expect(10, 41)
            self._call(20, 10, short(""), 20, 11)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def declare(self, queue="", passive=False, durable=False, exclusive=False, quorum=False):
        """The queue's name: the server chooses one for ''."""
        flags = passive | durable << 1 | exclusive << 2
        table = short("x-queue-type") + b"S" + long(b"quorum") if quorum else b""
        answer = self._call(50, 10, b"\0\0" + short(queue) + bytes([flags]) + long(table), 50, 11)
        return answer[1:1 + answer[0]].decode()

    def bind(self, queue, exchange, key=""):
        self._call(50, 20, b"\0\0" + short(queue) + short(exchange) + short(key) + b"\0" + long(b""), 50, 21)

    def delete(self, queue):
        self._call(50, 40, b"\0\0" + short(queue) + b"\0", 50, 41)

    def purge(self, queue):
        self._call(50, 30, b"\0\0" + short(queue) + b"\0", 50, 31)

    def publish(self, body, key, exchange=""):
        """Persistent and mandatory; back when the broker has confirmed it."""
        self._call(85, 10, b"\0", 85, 11)
        self._send(1, 60, 40, b"\0\0" + short(exchange) + short(key) + b"\x01")
        self._frame(HEADER, 1, struct.pack(">HHQHB", 60, 0, len(body), 0x1000, 2))
        self._frame(BODY, 1, body)
        self._expect(60, 80)

    def get(self, queue):
        """Takes one message, acknowledged; None when there is none."""
        self._send(1, 60, 70, b"\0\0" + short(queue) + b"\x01")
        if self._expect(60, 71, 60, 72) is None:
            return None
        kind, payload = self._read()
        assert kind == HEADER
        size = struct.unpack(">Q", payload[4:12])[0]
        body = b""
        while len(body) < size:
            body += self._read()[1]
        return body

    def _call(self, kind, method, arguments, *answers):
        self._send(1, kind, method, arguments)
        return self._expect(*answers)

    def _send(self, channel, kind, method, arguments):
        self._frame(METHOD, channel, struct.pack(">HH", kind, method) + arguments)

    def _frame(self, kind, channel, payload):
        self.socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce")

    def _read(self):
        head = self.stream.read(7)
        if len(head) < 7:
            raise ConnectionError("closed by the broker")
        kind, _, size = struct.unpack(">BHI", head)
        payload = self.stream.read(size + 1)[:-1]
        return (kind, payload) if kind != 8 else self._read()

    def _expect(self, kind, method, *instead):
        """The arguments of that method; None when the other one came instead."""
        _, payload = self._read()
        came = struct.unpack(">HH", payload[:4])
        if came in ((10, 50), (20, 40)):
            code, size = struct.unpack(">HB", payload[4:7])
            raise Refused(code, payload[7:7 + size].decode("utf-8", "replace"))
        if instead and came == instead:
            return None
        assert came == (kind, method), f"{came} instead of {(kind, method)}"
        return payload[4:]
