// Figures as people read them. Null, 'not known', is a dash everywhere.

export function perSecond(value) {
  if (value === null) return '–';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 0 : 1).replace(/\.0$/, '');
}

export function count(value) {
  return value === null ? '–' : Math.round(value).toLocaleString('en');
}

/** A quantile as metrics.js gives it. */
export function duration(quantile) {
  if (quantile === null) return '–';
  const milliseconds = quantile.seconds * 1000;
  const text = milliseconds >= 1000 ? `${(milliseconds / 1000).toPrecision(3)} s`
    : milliseconds >= 1 ? `${milliseconds.toPrecision(3)} ms` : `${Math.round(milliseconds * 1000)} µs`;
  return quantile.over ? `> ${text}` : text;
}

export function bytes(value) {
  if (value === null) return '–';
  const mebibytes = value / 2 ** 20;
  return mebibytes >= 1024 ? `${(mebibytes / 1024).toFixed(1)} GiB` : `${mebibytes.toFixed(mebibytes >= 100 ? 0 : 1)} MiB`;
}

export function uptime(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
