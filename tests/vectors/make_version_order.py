#!/usr/bin/env python3
"""Writes version_order.json: versions in ascending order, for every language that has to order them.

Independent of src/core/version.cc on purpose: it knows only the layout of UUIDv7 (RFC 9562, section 5.7).
The seed is fixed, so the file is the same after every run.
"""
import json
import pathlib
import random

MS_MAX = 2**48 - 1
COUNTER_MAX = 2**12 - 1
OP_MAX = 2**62 - 1
NOW_MS = 1_767_225_600_123  # 2026-01-01: the magnitude of real versions

found = {}  # (ms, counter, op) -> why; the first reason stays


def add(why, ms, counter, op):
    assert 0 <= ms <= MS_MAX and 0 <= counter <= COUNTER_MAX and 0 <= op <= OP_MAX
    found.setdefault((ms, counter, op), why)


def time_half(ms, counter):
    return ms << 16 | 7 << 12 | counter


def op_half(op):
    return 2 << 62 | op


def as_hex(entry):
    ms, counter, op = entry
    return f'{time_half(ms, counter):016x}{op_half(op):016x}'


def as_text(entry):
    digits = as_hex(entry)
    return '-'.join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def edges():
    for ms in (0, 1, MS_MAX - 1, MS_MAX):
        for counter in (0, 1, COUNTER_MAX):
            for op in (0, 1, OP_MAX):
                add('edge of a part', ms, counter, op)


def neighbours():
    base = (NOW_MS, 7, 0x0123456789ABCDEF)
    add('base of the pairs that differ by 1', *base)
    for part, name in enumerate(('ms', 'counter', 'op')):
        for step in (-1, 1):
            entry = list(base)
            entry[part] += step
            add(f'{name} differs by 1 from the base', *entry)


def overflows():
    for ms in (NOW_MS + 10, NOW_MS + 20):
        add('before the counter overflows', ms, COUNTER_MAX - 1, OP_MAX)
        add('before the counter overflows', ms, COUNTER_MAX, 0)
        add('before the counter overflows', ms, COUNTER_MAX, OP_MAX)
        add('after the counter overflowed', ms + 1, 0, 0)
        add('after the counter overflowed', ms + 1, 0, OP_MAX)


def same_ms(rng):
    for _ in range(12):
        add('same ms, same counter, other op', NOW_MS + 100, 0, rng.randrange(OP_MAX + 1))
    for counter in (0, 1, 9, 10, 15, 16, 255, 256, 4095):  # '9' before 'a', byte borders
        add('same ms, other counter', NOW_MS + 101, counter, rng.randrange(OP_MAX + 1))


def closer_than_a_double():
    """Integers above 2^53 that a double cannot tell apart: Lua and JavaScript have no other number."""
    for power in range(53, 58):
        for ms in (2 ** (power - 16), 2 ** (power - 12)):  # the time half, and the tick (ms << 12 | counter), at 2^power
            add('time half at the border of a power of two', ms - 1, COUNTER_MAX, 5)
            for counter in (0, 1, 2, 3, 8, 9):
                add('time halves closer than a double can tell', ms, counter, 5)
    op = 0x2AAAAAAAAAAAA800
    for step in (0, 1, 2, 3, 1023, 1024, 1025, 2047, 2048):
        add('op halves closer than a double can tell', NOW_MS + 200, 0, op + step)


def bytes_that_mislead():
    for ms in (2**47 - 1, 2**47):  # a signed 64-bit number changes its sign here
        add('sign bit of the time half', ms, 0, 3)
    for byte in (0x00, 0x01, 0x09, 0x0A, 0x7F, 0x80, 0x99, 0x9A, 0xA0, 0xFE, 0xFF):
        add('byte that misleads signed bytes, C strings or collations', NOW_MS + 300, 0, byte)
        add('byte that misleads signed bytes, C strings or collations', NOW_MS + 300, 0, byte << 32)
        add('byte that misleads signed bytes, C strings or collations', (NOW_MS & ~0xFF00) + (byte << 8), 0, 6)


def anything(rng):
    for _ in range(32):
        add('random, now', NOW_MS + rng.randrange(5000), rng.randrange(COUNTER_MAX + 1), rng.randrange(OP_MAX + 1))
        add('random', rng.randrange(MS_MAX + 1), rng.randrange(COUNTER_MAX + 1), rng.randrange(OP_MAX + 1))


def ties(halves):
    return sum(a != b and float(a) == float(b) for a, b in zip(halves, halves[1:]))


def main():
    rng = random.Random(20260101)
    edges()
    neighbours()
    overflows()
    same_ms(rng)
    closer_than_a_double()
    bytes_that_mislead()
    anything(rng)
    ordered = sorted(found)
    assert ordered == sorted(ordered, key=as_hex), 'the order of the parts must be the order of the bytes'
    assert ties([time_half(ms, counter) for ms, counter, _ in ordered]) >= 20
    assert ties([op_half(op) for _, _, op in ordered]) >= 5
    lines = [json.dumps({'text': as_text(entry), 'hex': as_hex(entry), 'ms': entry[0], 'counter': entry[1],
                         'op': f'{entry[2]:016x}', 'why': found[entry]}) for entry in ordered]
    path = pathlib.Path(__file__).with_name('version_order.json')
    path.write_text('[\n' + ',\n'.join(lines) + '\n]\n', encoding='ascii')
    print(f'{path}: {len(lines)} versions')


if __name__ == '__main__':
    main()
