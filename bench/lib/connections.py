"""Keep-alive connections that are opened, asked once, and then simply held."""
import resource
import socket

IP_BIND_ADDRESS_NO_PORT = 24  # ip(7); the socket module has no name for it
PER_ADDRESS = 5_000           # source ports taken from one loopback address


def raise_file_limit(wanted):
    """The soft limit on open files after trying to get `wanted`; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Connection:
    def __init__(self, port, number, seconds=10):
        self.socket = socket.socket()
        self.socket.settimeout(seconds)
        self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((f"127.0.0.{2 + number // PER_ADDRESS}", 0))
        self.socket.connect(("127.0.0.1", port))
        self.rest = b""

    def ask(self, method, path, body=b""):
        """The status; the body is read and dropped."""
        length = f"Content-Length: {len(body)}\r\n" if method == "PUT" else ""
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{length}\r\n".encode() + body)
        while b"\r\n\r\n" not in self.rest:
            self._read()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        left = int(fields.get(b"content-length", 0))
        while len(self.rest) < left:
            self._read()
        self.rest = self.rest[left:]
        return int(head.split(b" ", 2)[1])

    def _read(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("closed by the server")
        self.rest += got

    def close(self):
        self.socket.close()


class Crowd:
    """Many connections; leaving the `with` block closes them."""

    def __init__(self, port, count):
        self.port, self.count, self.all = port, count, []

    def __enter__(self):
        try:
            for number in range(self.count):
                self.all.append(Connection(self.port, number))
        except OSError as error:
            self.__exit__()
            raise OSError(f"connection {number + 1} of {self.count}: {error}") from error
        return self

    def __exit__(self, *_):
        for connection in self.all:
            connection.close()

    def ask_all(self, method, path, body=b""):
        """How many got a 2xx, and the first few complaints."""
        good, complaints = 0, []
        for number, connection in enumerate(self.all):
            try:
                status = connection.ask(method, path.format(number), body)
                good += 200 <= status < 300
                if not 200 <= status < 300:
                    complaints.append(f"connection {number}: status {status}")
            except (OSError, ValueError) as error:
                complaints.append(f"connection {number}: {error}")
        return good, complaints[:5]
