"""Another judge of the same histories, by brute force, for small ones: tries every order of the strong operations of a key,
with every choice of which unknown writes happened. Written from docs/histories.md, knowing nothing of the checker's search;
versions are not looked at."""
import itertools
import json

NEVER = float("inf")


def operations_of(lines):
    """Strong operations that say anything."""
    found = []
    for line in map(json.loads, lines):
        if line["type"] != "op":
            continue
        if line["op"] == "get":
            if line["outcome"] == "ok" and line["level"] == "strong":
                found.append(line)
        elif line["outcome"] != "failed" or line.get("status") == 412:
            found.append(line)
    return found


def certain(operation):
    return operation["outcome"] in ("ok", "failed")


def end_of(operation):
    return operation["returned"] if certain(operation) else NEVER


def step(state, operation):
    """The state after it, or False when its answer is wrong; a state is the value that is stored, None for nothing."""
    present = state is not None
    condition = operation.get("condition")
    holds = {None: True, "absent": not present, "present": present}[condition]
    if operation["op"] == "get":
        return state if operation.get("value") == state else False
    if operation["outcome"] == "failed":
        return False if holds else state
    if not holds:
        return False
    if certain(operation):
        if operation.get("status") in (200, 204) and not present or operation.get("status") in (201, 404) and present:
            return False
    return operation["value"] if operation["op"] == "put" else None


def one_order(left, state):
    """Whether the operations that are left can follow that state in some order that keeps their times."""
    if not left:
        return True
    earliest_end = min(end_of(operation) for operation in left)
    for operation in left:
        if operation["invoked"] > earliest_end:
            continue
        after = step(state, operation)
        if after is not False and one_order([each for each in left if each is not operation], after):
            return True
    return False


def linearizable(operations):
    sure = [operation for operation in operations if certain(operation)]
    unsure = [operation for operation in operations if not certain(operation)]
    return any(one_order(sure + list(chosen), None)
               for count in range(len(unsure) + 1) for chosen in itertools.combinations(unsure, count))
