"""The judge of the crash test must have teeth: known-good histories pass, known-bad ones fail."""
import pytest

from support.crash_model import KeyHistory, Operation, Violation


def put(counter, size=100):
    return Operation("k", counter, size)


DELETE = Operation("k", 9, None)


def history(*acknowledged, open=()):
    made = KeyHistory("k")
    for operation in acknowledged:
        made.sent(operation)
        made.acknowledged(operation, f"v{operation.counter}")
    for operation in open:
        made.sent(operation)
    return made


def shows(operation, version=None):
    return (200, operation.value(), f'"{version or f"v{operation.counter}"}"')


ABSENT = (404, b"", None)

GOOD = {
    "never-written": (history(), ABSENT),
    "acknowledged": (history(put(1)), shows(put(1))),
    "acknowledged-empty-value": (history(put(1, 0)), shows(put(1, 0))),
    "acknowledged-delete": (history(put(1), DELETE), ABSENT),
    "open-put-not-done": (history(put(1), open=[put(2)]), shows(put(1))),
    "open-put-done": (history(put(1), open=[put(2)]), shows(put(2), "new")),
    "open-first-put-not-done": (history(open=[put(1)]), ABSENT),
    "open-first-put-done": (history(open=[put(1)]), shows(put(1), "new")),
    "open-delete-done": (history(put(1), open=[DELETE]), ABSENT),
    "open-delete-not-done": (history(put(1), open=[DELETE]), shows(put(1))),
    "one-of-two-open": (history(put(1), open=[put(2), put(3)]), shows(put(2), "new")),
}
BAD = {
    "lost": (history(put(1)), ABSENT),
    "lost-empty-value": (history(put(1, 0)), ABSENT),
    "older-value": (history(put(1), put(2)), shows(put(1))),
    "older-value-with-open": (history(put(1), put(2), open=[put(3)]), shows(put(1))),
    "deleted-is-back": (history(put(1), DELETE), shows(put(1))),
    "never-written-value": (history(put(1)), shows(put(7))),
    "torn": (history(put(1), open=[put(2)]), (200, put(2).value()[:50] + b"\0" * 50, '"new"')),
    "cut-short": (history(put(1)), (200, put(1).value()[:99], '"v1"')),
    "other-keys-value": (history(put(1)), (200, Operation("other", 1, 100).value(), '"v1"')),
    "right-bytes-wrong-version": (history(put(1)), shows(put(1), "v0")),
    "absent-while-only-puts-are-open": (history(put(1), open=[put(2)]), ABSENT),
    "server-error": (history(put(1)), (500, b"", None)),
}


@pytest.mark.parametrize("made, read", GOOD.values(), ids=GOOD.keys())
def test_good(made, read):
    made.seen(*read)
    made.seen(*read)  # what was seen once is the state from then on


@pytest.mark.parametrize("made, read", BAD.values(), ids=BAD.keys())
def test_bad(made, read):
    with pytest.raises(Violation):
        made.seen(*read)


def test_what_was_seen_must_stay():
    made = history(put(1), open=[put(2)])
    assert made.seen(*shows(put(2), "new")) == put(2)
    with pytest.raises(Violation):
        made.seen(*shows(put(1)))


def test_a_refused_operation_must_not_show():
    made = history(put(1), open=[put(2)])
    made.refused(put(2))
    with pytest.raises(Violation):
        made.seen(*shows(put(2), "new"))
