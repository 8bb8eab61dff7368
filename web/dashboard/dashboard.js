// The dashboard: asks readiness and metrics every two seconds while the page is visible, and draws them.
import { bytes, count, duration, perSecond, uptime } from './format.js';
import { Reading, continues, quantile, rate } from './metrics.js';
import './try.js';

const POLL_MS = 2000;
const ANSWER_MS_MAX = 5000;
const WINDOW = 6; // readings kept: quantiles look back five polls, ten seconds
const SPARK_POINTS = 60; // two minutes
const SPARK_WIDTH = 600; // of the viewBox
const SPARK_STEP = SPARK_WIDTH / SPARK_POINTS;
const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE'];
const REQUESTS = 'armazem_http_requests_total';
const DURATION = 'armazem_http_request_duration_seconds';

const readings = [];
const spark = [];
let timer = 0;
let run = 0; // raised when the page is hidden or shown: what an older run still waits for is dropped
let lastAnswer = null;

const byId = (id) => document.getElementById(id);
// Without the polls of this page: the figures are about the work of the store.
const store = (labels) => labels.route === '/store' || labels.route === '/store/{key}';

async function poll() {
  const mine = run;
  const [health, metrics] = await Promise.allSettled([ask('/health/ready?verbose'), ask('/metrics')]);
  if (mine !== run) return;
  drawHealth(health);
  drawMetrics(metrics);
  timer = setTimeout(poll, POLL_MS);
}

async function ask(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  return { status: response.status, text: await response.text() };
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(timer);
  run += 1;
  readings.length = 0; // the pause is no window to take a rate over
  spark.length = 0;
  if (!document.hidden) poll();
});

function drawHealth({ value: answer }) {
  const report = answer && parse(answer.text);
  if (!report) {
    const since = lastAnswer ? ` Last answer at ${lastAnswer.toLocaleTimeString()}.` : '';
    const what = answer ? `Something answers with status ${answer.status}, but not as Armazém does.` : 'The server does not answer.';
    drawState('unreachable', answer ? 'No Armazém' : 'Unreachable', `${what}${since} Trying again every ${POLL_MS / 1000} s.`);
    return;
  }
  lastAnswer = new Date();
  const checks = report.checks ?? [];
  const lost = checks.filter(({ status }) => status !== 'ok').map(({ name }) => name).join(', ');
  if (report.status === 'ready') {
    drawState('ready', 'Ready', lost && `Service goes on without: ${lost}.`);
  } else {
    drawState('not-ready', 'Not ready', `The server is not ready${report.detail ? `: ${report.detail}` : '.'}`);
  }
  byId('checks').replaceChildren(...checks.map(drawCheck));
  byId('about').textContent = [report.version && `Version ${report.version}`,
    report.uptime_seconds !== undefined && `up for ${uptime(report.uptime_seconds)}`].filter(Boolean).join(', ');
}

/** The report of readiness, or a problem (the server answers, but cannot serve); else null. */
function parse(text) {
  try {
    const report = JSON.parse(text);
    return report && (typeof report.status === 'string' || typeof report.detail === 'string') ? report : null;
  } catch {
    return null;
  }
}

/** Texts are only set when they change, so that a screen reader says them once. */
function drawState(state, text, trouble) {
  const pill = byId('state');
  pill.dataset.state = state;
  if (pill.textContent !== text) pill.textContent = text;
  const box = byId('trouble');
  box.hidden = trouble === '';
  if (box.textContent !== trouble) box.textContent = trouble;
  document.body.classList.toggle('stale', state === 'unreachable');
}

function drawCheck({ name, status, detail }) {
  const mark = element('span', status === 'ok' ? '✓ ok' : `✗ ${status}`);
  mark.dataset.status = status;
  return element('li', '', [element('span', name), mark, element('span', detail ?? '', [], 'quiet')]);
}

function drawMetrics({ value: answer }) {
  if (answer?.status !== 200) {
    readings.length = 0;
    return;
  }
  const now = new Reading(answer.text, performance.now());
  if (readings.length && !continues(readings.at(-1), now)) readings.length = 0;
  readings.push(now);
  if (readings.length > WINDOW) readings.shift();
  const value = (name) => now.sum(name);
  byId('connections').textContent = count(value('armazem_http_connections'));
  byId('memory').textContent = bytes(value('process_resident_memory_bytes'));
  if (readings.length > 1) drawRates(readings.at(-2), now);
}

function drawRates(before, now) {
  const speed = (name, wanted) => rate(before, now, name, wanted);
  const requests = speed(REQUESTS, store);
  drawSpeed('requests', requests ?? 0);
  drawSpeed('writes', speed('armazem_store_mutations_total'));
  drawSpeed('batches', speed('armazem_store_batches_total'));
  drawSpark(requests ?? 0);
  byId('methods').replaceChildren(...METHODS.map((method) => {
    const wanted = (labels) => store(labels) && labels.method === method;
    const tail = (q) => duration(quantile(readings[0], now, DURATION, wanted, q));
    const cells = [perSecond(speed(REQUESTS, wanted) ?? 0), tail(0.5), tail(0.99)].map((text) => element('td', text));
    const head = element('th', method);
    head.scope = 'row';
    return element('tr', '', [head, ...cells]);
  }));
}

function drawSpeed(id, value) {
  byId(id).replaceChildren(perSecond(value), ...(value === null ? [] : [element('small', ' /s')]));
}

function drawSpark(value) {
  spark.push(value);
  if (spark.length > SPARK_POINTS) spark.shift();
  const top = Math.max(...spark, 1);
  const points = spark.map((one, index) => {
    const x = SPARK_WIDTH - (spark.length - index) * SPARK_STEP;
    const y = (58 - (one / top) * 54).toFixed(1); // of the 60 units of the viewBox
    return `${x},${y} ${x + SPARK_STEP},${y}`;
  });
  byId('spark').firstElementChild.setAttribute('points', points.join(' '));
  byId('spark-max').textContent = `top ${perSecond(Math.max(...spark))}/s`;
}

function element(tag, text, children = [], className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  if (className) made.className = className;
  return made;
}

if (!document.hidden) poll();
