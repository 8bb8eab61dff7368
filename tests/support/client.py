"""A store client on top of the raw one: one kept-alive connection, a new one only after a close."""
import json
import os

from support.http_raw import Closed, RawConnection, request_bytes
from support.keys import path_of

# A cluster (ARMAZEM_URL) may answer a plain read from its cache, and a write by 202 when its workers are late: both are
# right, and test_read_levels.py and test_async_writes.py are about them. Every other test wants to know what is stored: there
# it reads strongly and waits as long as one may. A server of our own has neither cache nor queue and gets the plain requests.
CLUSTER_READ, CLUSTER_WRITE = ({"Cache-Control": "no-cache"}, {"Prefer": "wait=30"}) if os.environ.get("ARMAZEM_URL") else ({}, {})


class Client:
    def __init__(self, address, as_written=False):
        """`as_written`: nothing is added to what the test asks for, on a cluster too."""
        self.address = address
        self.as_written = as_written
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def request(self, method, target, headers=(), body=None):
        """Never repeats a request by itself: a lost answer is the test's business (Closed is raised)."""
        if self.connection is None:
            self.connection = RawConnection(self.address)
        try:
            make = request_bytes if self.as_written else request_of
            self.connection.send(make(method, target, headers, body))
            response = self.connection.read(method)
        except (Closed, AssertionError, OSError):
            self.close()
            raise
        if response.closes() or self.connection.ended:
            self.close()
        return response

    def put(self, key, body=b"", headers=()):
        """The raw form: PUT /store/{key}."""
        return self.request("PUT", path_of(key), headers, body)

    def put_json(self, key, value, headers=(), **fields):
        """The JSON form: PUT /store."""
        body = json.dumps({"key": key, "value": value, **fields}, ensure_ascii=False).encode("utf-8")
        return self.put_json_text(body, headers)

    def put_json_text(self, body, headers=()):
        fields = dict(headers)
        fields.setdefault("Content-Type", "application/json")
        return self.request("PUT", "/store", fields, body)

    def get(self, key, headers=(), query=""):
        return self.request("GET", path_of(key) + query, headers)

    def get_raw(self, key):
        return self.get(key, query="?raw")

    def head(self, key, headers=(), query=""):
        return self.request("HEAD", path_of(key) + query, headers)

    def delete(self, key, headers=(), body=None):
        return self.request("DELETE", path_of(key), headers, body)


def request_of(method, target, headers=(), body=None):
    """The bytes of a request; on a cluster with what makes a read strong and a write patient, unless the headers say more."""
    fields = list(headers.items() if isinstance(headers, dict) else headers)
    added = {}
    if target.startswith("/store"):
        added = CLUSTER_READ if method in ("GET", "HEAD") else CLUSTER_WRITE if method in ("PUT", "DELETE") else {}
    names = {name.lower() for name, _ in fields}
    fields += [(name, value) for name, value in added.items() if name.lower() not in names]
    return request_bytes(method, target, fields, body)
