"""The proof that a cluster has recovered: writes and reads of every kind succeed again, through every way in."""
import itertools
import os
import time

from support.client import Client
from support.http_raw import Closed
from support.wait import SCALE

APPLIED = (200, 201)
PATIENCE_MAX = 5


def patience():
    """How much longer things may take than on a machine of our own: by how many more want to run than can."""
    return SCALE * min(PATIENCE_MAX, max(1, os.getloadavg()[0] / (8 * os.cpu_count())))


class Recovery:
    def __init__(self, cluster):
        ports = cluster.settings.ports
        self.front = ("127.0.0.1", ports.of("nginx"))
        self.apis = [("127.0.0.1", ports.of("api", number)) for number in range(1, cluster.settings.choices.apis + 1)]
        self.numbers = itertools.count()

    def complaint(self):
        """None when one round of everything succeeds, else what did not."""
        for address in [self.front, *self.apis]:
            client = Client(address, as_written=True)
            try:
                complaint = self._round(client, f"probe-{next(self.numbers)}")
            except (Closed, AssertionError, OSError) as error:
                complaint = f"no answer: {error}"
            finally:
                client.close()
            if complaint:
                return f"{address[1]}: {complaint}"
        return None

    @staticmethod
    def _round(client, key):
        wait = {"Prefer": "wait=10"}
        put = client.put(key, b"1", wait)
        if put.status not in APPLIED:
            return f"PUT {put.status}"
        version = put.header("Armazem-Version")
        levels = {"cached": {}, "session": {"Armazem-Min-Version": version}, "strong": {"Cache-Control": "no-cache"}}
        for level, headers in levels.items():
            got = client.get(key, headers, "?raw")  # of a new key: no cache can have an older answer
            if got.status != 200 or got.body != b"1":
                return f"{level} GET {got.status}"
        swapped = client.put(key, b"2", {"If-Match": f'"{version}"'})
        if swapped.status not in APPLIED:
            return f"conditional PUT {swapped.status}"
        removed = client.delete(key, wait)
        return None if removed.status == 204 else f"DELETE {removed.status}"

    def wait(self, seconds):
        """Until a round that began after this call has succeeded; the seconds that took."""
        begun = time.monotonic()
        while True:
            complaint = self.complaint()
            if complaint is None:
                return time.monotonic() - begun
            passed = time.monotonic() - begun
            assert passed < seconds * patience(), f"not recovered within {passed:.0f} s: {complaint}"
            time.sleep(0.05)
