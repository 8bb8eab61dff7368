"""Waiting by polling against a deadline: the one place that pauses between two looks; nothing waits for ever."""
import os
import time

# Loaded machines: the same steps, more patience (the test suite sets it for sanitizer builds).
SCALE = 3 if os.environ.get("ARMAZEM_SLOW") == "1" else 1


class TimedOut(Exception):
    """The deadline passed; the text says what was waited for and what was seen last."""


def until(probe, seconds, what, every=0.05):
    """Calls probe until it gives something true and returns that."""
    end = time.monotonic() + seconds * SCALE
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() >= end:
            raise TimedOut(f"{what}: not within {seconds * SCALE:.0f} s")
        time.sleep(every)


def until_well(problem, seconds, every=0.1):
    """Calls problem until it gives None; what it said last becomes the reason of the failure."""
    end = time.monotonic() + seconds * SCALE
    while True:
        said = problem()
        if said is None:
            return
        if time.monotonic() >= end:
            raise TimedOut(f"{said} (waited {seconds * SCALE:.0f} s)")
        time.sleep(every)
