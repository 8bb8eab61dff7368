"""Our own two programs: the server, and the store driven without HTTP."""
import json
import os
import re
from pathlib import Path

from lib import payload, probe
from lib.processes import Failed, last_json_object

START_SECONDS = 120  # a store of 10 million keys may replay its log first


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("ARMAZEM_")}


def serve_command(binary, directory, extra=()):
    return [binary, "serve", "--port", "0", "--data", directory, "--log-format", "json", *extra]


class Armazem:
    def __init__(self, processes, binary, directory, extra=(), name="armazem"):
        directory.mkdir(exist_ok=True)
        self.process = processes.start(name, serve_command(binary, directory, extra), env=clean_environment())
        self.process.wait_ready(self._find_port, START_SECONDS)
        self.groups = [self.process.pid]
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base}/store/bench"

    def _find_port(self):
        for line in self.process.log().splitlines():
            if '"listening"' not in line:
                continue
            try:
                record = json.loads(line)
            except ValueError:
                continue  # half written: the next look sees all of it
            if record.get("msg") == "listening":
                self.port = record["port"]
                return True
        return False

    def seed(self):
        """The one key of the GET comparison; its answer must be the bytes that NGINX serves."""
        probe.expect(self.port, "PUT", "/store/bench", payload.VALUE, {"Content-Type": "text/plain"})
        probe.expect(self.port, "GET", "/store/bench", answer=payload.GET_ANSWER.encode())
        content_type = probe.request(self.port, "GET", "/store/bench")[1]["Content-Type"]
        if content_type != payload.GET_CONTENT_TYPE:
            raise Failed(f"GET answers Content-Type {content_type}, NGINX {payload.GET_CONTENT_TYPE}: not comparable")

    def metric(self, name):
        """The sum over the samples of that name, or None when the server has no such metric."""
        text = probe.expect(self.port, "GET", "/metrics").decode()
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)", text, re.MULTILINE)
        return sum(map(float, values)) if values else None

    def mean_batch(self):
        """Mutations per synced batch so far: how large the batches are that its clients' requests form."""
        batches, mutations = self.metric("armazem_store_batches_total"), self.metric("armazem_store_mutations_total")
        return max(1, round(mutations / batches)) if batches else 1

    def memory(self):
        """Resident bytes from /proc/PID/status: now, and the highest so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        now, peak = (int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024
                     for field in ("VmRSS", "VmHWM"))
        return {"rss_bytes": now, "peak_bytes": peak}

    def block_cache_bytes(self):
        return self.metric("armazem_store_block_cache_bytes")


class StoreBench:
    """armazem_store_bench: group-committed batches to RocksDB by closed-loop writers, no HTTP."""

    def __init__(self, processes, binary, directory):
        self.processes, self.binary, self.directory = processes, binary, directory

    def write_command(self, directory, writers, seconds):
        return [self.binary, "--data", directory, "--writers", writers, "--seconds", seconds,
                "--value-bytes", payload.VALUE_BYTES, "--format", "json"]

    def write(self, writers, seconds, batch=None):
        """Closed-loop writers; or, with `batch`, batches of that size one after the other."""
        command = self.write_command(self.directory, writers, seconds)
        command += ["--batch", batch] if batch else []
        figures = last_json_object(self.processes.run("store-bench", command, seconds + 60, clean_environment()))
        figures["per_second"] = figures["writes_per_second"]
        figures["invalid"] = None if figures["per_second"] > 0 else "no write at all"
        return figures

    def load_command(self, directory, keys):
        return [self.binary, "--data", directory, "--load", keys, "--value-bytes", payload.VALUE_BYTES]

    def load(self, keys, seconds):
        self.processes.run("store-load", self.load_command(self.directory, keys), seconds, clean_environment())


def directory_bytes(directory):
    return sum(path.stat().st_blocks * 512 for path in Path(directory).rglob("*") if path.is_file())
