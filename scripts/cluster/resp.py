"""As much of Redis' protocol (RESP2) as forming a cluster and asking for its health takes."""
import socket


class Refused(Exception):
    """An error reply."""


class Connection:
    def __init__(self, host, port, user, password, seconds):
        self.socket = socket.create_connection((host, port), timeout=seconds)
        self.stream = self.socket.makefile("rb")
        try:
            self.call("AUTH", user, password)
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

    def call(self, *words):
        parts = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def _reply(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection was closed")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise Refused(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.stream.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
        return None if rest == "-1" else [self._reply() for _ in range(int(rest))]
