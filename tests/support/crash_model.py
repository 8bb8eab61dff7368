"""What may be read after a crash: the last acknowledged state of a key, or one of the later unacknowledged
operations on it, whole; never anything else. One writer per key, so the order of its operations is known."""
import hashlib
from dataclasses import dataclass, field

VALUE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Operation:
    """A put of value_of(key, counter, size), or a delete (size None)."""

    key: str
    counter: int
    size: int | None
    idempotency_key: str | None = None

    @property
    def deletes(self):
        return self.size is None

    def value(self):
        return None if self.deletes else value_of(self.key, self.counter, self.size)

    def headers(self):
        return {"Idempotency-Key": self.idempotency_key} if self.idempotency_key else {}


def value_of(key, counter, size):
    """Bytes that belong to this key and counter only, so that any mix-up or torn write shows."""
    return hashlib.shake_256(f"{key}#{counter}".encode()).digest(size)


def random_size(random):
    """Empty, small, a page, and up to 64 KiB: each takes another way through log and engine."""
    kind = random.random()
    if kind < 0.03:
        return 0
    if kind < 0.55:
        return random.randrange(1, 200)
    if kind < 0.85:
        return random.randrange(200, 4096)
    if kind < 0.98:
        return random.randrange(4096, VALUE_BYTES_MAX)
    return VALUE_BYTES_MAX


class Violation(AssertionError):
    pass


@dataclass
class KeyHistory:
    key: str
    state: Operation | None = None  # the last acknowledged or seen one; None: never written
    version: str | None = None      # of that state, where a value is there
    open: list = field(default_factory=list)  # sent after it, no answer known
    broken: bool = False            # a violation was found; it is counted once

    def sent(self, operation):
        self.open.append(operation)

    def acknowledged(self, operation, version):
        """Later than everything sent before, so what was open before it no longer matters."""
        self.state, self.version = operation, None if operation.deletes else version
        self.open.clear()

    def refused(self, operation):
        """Answered with 'certainly not done'."""
        self.open.remove(operation)

    def seen(self, status, body, etag):
        """Judges a read after a restart; what was seen is the state from now on. Returns the operation
        seen when it was an unacknowledged one."""
        settled_absent = self.state is None or self.state.deletes
        if status == 404:
            if settled_absent:
                self.open.clear()
                return None
            return self._settle(next((op for op in self.open if op.deletes), None), None, "absent")
        if status != 200:
            raise Violation(f"{self.key}: status {status}")
        version = (etag or "").strip('"')
        if not settled_absent and version == self.version:
            if body != self.state.value():
                raise Violation(f"{self.key}: version {version} was acknowledged with other bytes ({len(body)} instead of {self.state.size})")
            self.open.clear()
            return None
        found = next((op for op in self.open if not op.deletes and op.value() == body), None)
        return self._settle(found, version, f"{len(body)} bytes under {version}")

    def _settle(self, operation, version, what):
        if operation is None:
            raise Violation(f"{self.key}: shows {what}; acknowledged {self.state} as {self.version}, open {self.open}")
        self.state, self.version = operation, version
        self.open.clear()
        return operation
