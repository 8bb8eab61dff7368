"""armazem-check and the brute-force judge agree on random small histories, good and bad ones."""
import json
import random
import subprocess

import pytest

from checker.reference import linearizable, operations_of
from faults.programs import program

HISTORIES = 600


def random_line(rng, values, at):
    line = {"type": "op", "client": rng.randrange(4), "key": 0, "invoked": at, "returned": at + rng.randrange(1, 60)}
    if rng.random() < 0.4:
        line |= {"op": "get", "level": "strong", "outcome": "ok"}
        value = rng.choice([None, *values, *values[-2:]])
        return line if value is None else line | {"value": value}
    line["op"] = "put" if rng.random() < 0.75 else "delete"
    if line["op"] == "put":
        values.append(len(values) + 1)
        line["value"] = values[-1]
    if rng.random() < 0.3:
        line["condition"] = rng.choice(["absent", "present"])
    share = rng.random()
    if share < 0.2:
        del line["returned"]
        return line | {"outcome": "unknown"}
    if share < 0.35 and "condition" in line:
        return line | {"outcome": "failed", "status": 412}
    line["outcome"] = "ok"
    if rng.random() < 0.3:
        line["status"] = rng.choice([200, 201] if line["op"] == "put" else [204, 404])
    return line


def random_history(rng):
    values, at, lines = [], 0, []
    for _ in range(rng.randrange(3, 8)):
        at += rng.randrange(0, 40)
        lines.append(random_line(rng, values, at))
    return lines


def readable(lines):
    """No read of a value whose write was refused or came later: that is refused for another reason than order."""
    writes = {line["value"]: line for line in lines if line["op"] == "put"}
    for line in lines:
        if line["op"] == "get" and "value" in line:
            write = writes[line["value"]]
            if write["outcome"] == "failed" or write["invoked"] > line["returned"]:
                return False
    return True


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    rng = random.Random(4711)
    directory = tmp_path_factory.mktemp("histories")
    histories = []
    while len(histories) < HISTORIES:
        lines = random_history(rng)
        if readable(lines):
            path = directory / f"{len(histories)}.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            histories.append((path, lines))
    done = subprocess.run([program("armazem-check"), *(str(path) for path, _ in histories)], timeout=120, text=True,
                          stdout=subprocess.PIPE)
    assert done.returncode in (0, 1), done.stdout
    verdicts = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ".jsonl: " in line)
    return [(path, lines, verdicts[str(path)].endswith(": good")) for path, lines in histories]


def test_both_judges_agree(judged):
    wrong = []
    for path, lines, good in judged:
        if linearizable(operations_of(map(json.dumps, lines))) != good:
            wrong.append((good, lines))
    assert not wrong, f"{len(wrong)} histories are judged differently; the first, by armazem-check {wrong[0][0]}: {wrong[0][1]}"


def test_there_are_good_and_bad_ones(judged):
    good = sum(1 for _, _, verdict in judged if verdict)
    print(f"{good} good, {len(judged) - good} bad")
    assert len(judged) * 0.15 < good < len(judged) * 0.85
