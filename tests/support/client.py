"""A store client on top of the raw one: one kept-alive connection, a new one only after a close."""
import json

from support.http_raw import Closed, RawConnection, request_bytes
from support.keys import path_of


class Client:
    def __init__(self, address):
        self.address = address
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
            self.connection.send(request_bytes(method, target, headers, body))
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
