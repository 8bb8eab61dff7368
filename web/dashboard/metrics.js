// Reads Prometheus text (format 0.0.4) and turns two readings into rates and quantiles. No page in here.

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** One reading of /metrics: `at` in milliseconds of any steady clock. */
export class Reading {
  constructor(text, at) {
    this.at = at;
    this.samples = text.split('\n').map(sample).filter(Boolean);
  }

  /** The samples of a name whose labels pass `wanted`. */
  all(name, wanted = () => true) {
    return this.samples.filter((one) => one.name === name && wanted(one.labels));
  }

  /** Their sum; null when there is none, which is not the same as 0. */
  sum(name, wanted) {
    const found = this.all(name, wanted);
    return found.length ? found.reduce((total, one) => total + one.value, 0) : null;
  }
}

function sample(line) {
  const match = line.startsWith('#') ? null : SAMPLE.exec(line);
  if (!match) return null;
  const labels = {};
  for (const [, name, value] of (match[2] ?? '').matchAll(LABEL)) {
    labels[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
  }
  return { name: match[1], labels, value: number(match[3]) };
}

function number(text) {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

/** Whether `after` continues `before`: the same process, later. */
export function continues(before, after) {
  const start = 'process_start_time_seconds';
  return before.sum(start) === after.sum(start) && after.at > before.at;
}

/** Growth of a counter per second; null when it is not there. */
export function rate(before, after, name, wanted) {
  const now = after.sum(name, wanted);
  if (now === null) return null;
  return Math.max(0, now - (before.sum(name, wanted) ?? 0)) / ((after.at - before.at) / 1000);
}

/**
 * A quantile of what a histogram saw between two readings, interpolated within its bucket as Prometheus' histogram_quantile
 * does. {seconds, over}: `over` when it lies above the last bound. Null when nothing was seen.
 */
export function quantile(before, after, name, wanted, q) {
  const buckets = growth(before, after, `${name}_bucket`, wanted);
  const total = buckets.at(-1)?.count ?? 0;
  if (!(total > 0)) return null;
  const at = buckets.findIndex((bucket) => bucket.count >= q * total);
  const below = at > 0 ? buckets[at - 1] : { bound: 0, count: 0 };
  if (buckets[at].bound === Infinity) return { seconds: below.bound, over: true };
  const share = (q * total - below.count) / (buckets[at].count - below.count || 1);
  return { seconds: below.bound + (buckets[at].bound - below.bound) * share, over: false };
}

/** The cumulative buckets of all series together, by rising bound. */
function growth(before, after, name, wanted) {
  const counts = new Map();
  for (const [reading, sign] of [[after, 1], [before, -1]]) {
    for (const { labels, value } of reading.all(name, wanted)) {
      const bound = number(labels.le);
      counts.set(bound, (counts.get(bound) ?? 0) + sign * value);
    }
  }
  return [...counts].map(([bound, count]) => ({ bound, count })).sort((a, b) => a.bound - b.bound);
}
