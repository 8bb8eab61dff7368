"""What a person sees while the cluster starts: on a terminal one line for each tier, whose parts tick off; elsewhere a
plain line for each part that is ready."""
import sys
import threading
import time

TITLES = {"rabbitmq": "RabbitMQ", "redis": "Redis Cluster", "postgres": "PostgreSQL", "cockroach": "CockroachDB",
          "haproxy": "HAProxy", "migrate": "tables, queues", "api": "API", "worker": "Workers", "nginx": "NGINX"}
REDRAW_SECONDS = 0.2


class Progress:
    """A context manager; call it with (component, state, detail)."""

    def __init__(self, rows, stream=sys.stdout):
        """rows: {tier: [component, …]}."""
        self.rows = rows
        self.stream = stream
        self.live = stream.isatty()
        utf8 = (stream.encoding or "").lower().startswith("utf")
        marks = "✔✔✘…◐·" if utf8 else "++!~o."
        self.marks = dict(zip(("ready", "running", "failed", "starting", "answers", "waiting"), marks))
        self.states = {part: "waiting" for parts in rows.values() for part in parts}
        self.begun, self.ended = {}, {}
        self.lock = threading.RLock()
        self.drawn = 0

    def __enter__(self):
        if self.live:
            self.done = threading.Event()
            self.ticker = threading.Thread(target=self._tick, daemon=True)
            self.ticker.start()
        return self

    def __exit__(self, *_):
        if self.live:
            self.done.set()
            self.ticker.join()
            self._draw()

    def __call__(self, name, state, detail=""):
        with self.lock:
            now = time.monotonic()
            parts = self.rows.get(name, [name]) if name not in self.states else [name]
            for part in parts:  # a tier that fails as a whole is named by its own name
                if state == "failed" and len(parts) > 1 and self.states.get(part) in ("ready", "running"):
                    continue
                self.states[part] = state
                if state == "starting":
                    self.begun[part] = now
                elif state != "answers":
                    self.ended[part] = now
            if not self.live and state in ("ready", "failed", "running"):
                took = f" after {now - self.begun[name]:.1f} s" if state == "ready" and name in self.begun else ""
                word = {"running": "runs already", "ready": "ready"}.get(state, state)
                print(f"  {name}: {word}{took}", file=self.stream, flush=True)

    def _tick(self):
        while not self.done.wait(REDRAW_SECONDS):
            self._draw()

    def _draw(self):
        with self.lock:
            lines = [self._line(tier, parts) for tier, parts in self.rows.items()]
            up = f"\x1b[{self.drawn}A" if self.drawn else ""
            self.stream.write(up + "".join(f"\r\x1b[2K{line}\n" for line in lines))
            self.stream.flush()
            self.drawn = len(lines)

    def _line(self, tier, parts):
        marks = " ".join(f"{self.marks.get(self.states[part], '?')} {_short(part, tier)}".rstrip() for part in parts)
        begun = [self.begun[part] for part in parts if part in self.begun]
        took = ""
        if begun:
            over = all(self.states[part] in ("ready", "running", "failed") for part in parts)
            end = max(self.ended.get(part, 0) for part in parts) if over else time.monotonic()
            took = f"{end - min(begun):5.1f} s"
        elif all(self.states[part] == "running" for part in parts):
            took = "runs already"
        return f"  {TITLES.get(tier, tier):<15} {marks:<34} {took}"


def _short(part, tier):
    """'3' for redis-3: the tier's name stands at the beginning of the line."""
    return part.removeprefix(tier + "-") if part != tier else ""
