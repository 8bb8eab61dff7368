"""Interleaved rounds: every contestant once per round, so that a slow minute of the machine hits all of them."""
import statistics
from dataclasses import dataclass, field
from typing import Callable

from lib import cpu
from lib.say import say

SETTLE_SECONDS = 15


@dataclass
class Contestant:
    key: str
    label: str
    groups: list                    # process groups whose CPU time is the server's
    measure: Callable[[int], dict]  # round number → figures of one run
    warm_up: Callable[[], dict] = None
    server: object = None           # for who wants to ask it more afterwards
    samples: list = field(default_factory=list)
    invalid: str = None


def run(contestants, rounds):
    """Servers stay up through all rounds; before each run everybody comes to rest. The order moves on by one per round."""
    every_group = [group for contestant in contestants for group in contestant.groups]
    for contestant in contestants:
        if contestant.warm_up:
            _judge(contestant, contestant.warm_up(), "warm-up")
    for number in range(rounds):
        turn = number % len(contestants)
        for contestant in contestants[turn:] + contestants[:turn]:
            if contestant.invalid:
                continue
            calm = cpu.settle(every_group, SETTLE_SECONDS)
            with cpu.Meter(contestant.groups, every_group) as meter:
                sample = contestant.measure(number)
            sample["calm_before"] = calm
            sample["foreign_cpu_share"] = meter.foreign_share
            if contestant.groups and sample.get("requests"):
                sample["server_cpu_us"] = meter.server_seconds / sample["requests"] * 1e6
            contestant.samples.append(sample)
            say(f"  round {number + 1}  {contestant.label:42} {sample['per_second']:>10,.0f}/s"
                f"  p99 {sample['p99_us'] / 1000:.2f} ms  others' CPU {meter.foreign_share:.0%}")
            _judge(contestant, sample, f"round {number + 1}")
    return summary(contestants)


def _judge(contestant, sample, when):
    if sample["invalid"]:
        contestant.invalid = f"{when}: {sample['invalid']}"
        say(f"  !!! INVALID: {contestant.label}, {contestant.invalid}; its figures are not used")


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summary(contestants):
    """{key: {label, per_second, p50_us, …: {median, min, max}, samples}}"""
    result = {}
    for contestant in contestants:
        entry = {"label": contestant.label, "invalid": contestant.invalid, "samples": contestant.samples}
        names = ("per_second", "p50_us", "p99_us", "p999_us", "max_us", "server_cpu_us", "answer_bytes")
        for name in names if not contestant.invalid else ():
            values = [sample[name] for sample in contestant.samples if name in sample]
            if values:
                entry[name] = spread(values)
        result[contestant.key] = entry
    return result


def ratio(results, key, other):
    """Per round, then the median of those: both sides of each quotient saw the same minute. None if a side is missing."""
    sides = results.get(key), results.get(other)
    if any(side is None or side["invalid"] or not side["samples"] for side in sides):
        return None
    rounds = zip(sides[0]["samples"], sides[1]["samples"])
    return spread([ours["per_second"] / theirs["per_second"] for ours, theirs in rounds])
