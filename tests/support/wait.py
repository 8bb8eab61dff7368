"""Waiting by polling against a deadline; the only place of the suite that pauses between two looks."""
import os
import time

SLOW = os.environ.get("ARMAZEM_SLOW") == "1"
# Sanitizer builds and loaded machines: the same tests, more patience.
SCALE = 3 if SLOW else 1


class Deadline:
    """A moment made once and spent by everything below, so that nested waits don't add up."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds * SCALE

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def passed(self):
        return time.monotonic() >= self.end


def until(probe, seconds, what, every=0.02):
    """Calls probe until it gives something true and returns that; fails with `what` after `seconds`."""
    deadline = Deadline(seconds)
    while True:
        result = probe()
        if result:
            return result
        if deadline.passed():
            raise AssertionError(f"not within {seconds * SCALE} s: {what} (last seen: {result!r})")
        time.sleep(every)
