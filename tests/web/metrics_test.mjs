// web/dashboard/metrics.js and format.js: run with node, no server.
import assert from 'node:assert/strict';
import { bytes, count, duration, perSecond, uptime } from '../../web/dashboard/format.js';
import { Reading, continues, quantile, rate } from '../../web/dashboard/metrics.js';

const text = (gets, fast, slow, start = 1) => `# HELP r Requests.
# TYPE r counter
r{route="/store/{key}",method="GET"} ${gets}
r{route="/store",method="PUT"} 5
odd{label="a \\"quoted\\", \\\\ and\\n{braces}"} 1 1700000000000
d_bucket{method="GET",le="0.001"} ${fast}
d_bucket{method="GET",le="0.01"} ${fast + slow}
d_bucket{method="GET",le="+Inf"} ${fast + slow}
d_bucket{method="PUT",le="+Inf"} 7
process_start_time_seconds ${start}
`;
const get = (labels) => labels.method === 'GET';
const before = new Reading(text(10, 0, 0), 1000);
const after = new Reading(text(30, 90, 10), 3000);

assert.equal(before.sum('r'), 15);
assert.equal(before.sum('missing'), null);
assert.equal(before.all('odd')[0].labels.label, 'a "quoted", \\ and\n{braces}');
assert.equal(rate(before, after, 'r', get), 10);
assert.equal(rate(before, after, 'missing'), null);
assert.ok(continues(before, after));
assert.ok(!continues(before, new Reading(text(1, 0, 0, 2), 5000)), 'a restart begins anew');

assert.ok(Math.abs(quantile(before, after, 'd', get, 0.5).seconds - 0.001 * (50 / 90)) < 1e-9);
assert.ok(Math.abs(quantile(before, after, 'd', get, 0.99).seconds - (0.001 + 0.009 * 0.9)) < 1e-9);
assert.equal(quantile(before, before, 'd', get, 0.5), null, 'nothing happened');
const onlyOver = [new Reading('d_bucket{le="1"} 0\nd_bucket{le="+Inf"} 0', 0), new Reading('d_bucket{le="1"} 0\nd_bucket{le="+Inf"} 4', 1)];
assert.deepEqual(quantile(...onlyOver, 'd', undefined, 0.5), { seconds: 1, over: true });

assert.deepEqual([perSecond(null), perSecond(0), perSecond(0.52), perSecond(12.3), perSecond(12345)], ['–', '0', '0.5', '12', '12,345']);
assert.deepEqual([count(null), count(3)], ['–', '3']);
assert.deepEqual([duration(null), duration({ seconds: 0.00042, over: false }), duration({ seconds: 2.5, over: true })], ['–', '420 µs', '> 2.50 s']);
assert.deepEqual([bytes(null), bytes(12 * 2 ** 20), bytes(3 * 2 ** 30)], ['–', '12.0 MiB', '3.0 GiB']);
assert.deepEqual([uptime(5), uptime(61), uptime(3700), uptime(90000)], ['5 s', '1 min', '1 h 1 min', '1 d 1 h']);
console.log('ok');
