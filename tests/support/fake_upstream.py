"""An HTTP server of a test's own behind a proxy: records exactly what arrives and does what the test says."""
import contextlib
import socket
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class FakeUpstream:
    """`answer` gets the bytes of a whole request and gives those to send; None closes the connection without a word."""

    def __init__(self, answer=lambda request: OK):
        self.answer = answer
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def targets(self):
        """(method, target) of each request, as bytes, apart from those for health checks."""
        lines = [request.split(b"\r\n", 1)[0].split(b" ") for request in self.requests]
        return [(line[0], line[1]) for line in lines if line[1] != b"/health/ready"]

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while True:
                request = _read_request(stream)
                if not request:
                    return
                self.requests.append(request)
                said = OK if b" /health/ready " in request.split(b"\r\n", 1)[0] else self.answer(request)
                if said is None:
                    return
                connection.sendall(said)


def _read_request(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    return head + stream.read(int(fields.get(b"content-length", 0)))
