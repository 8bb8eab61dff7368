// The form: puts, gets and deletes one key by the REST API and shows the answer as it came. Texts of others are only ever
// set as textContent.

const SHOWN_HEADERS = ['content-type', 'etag', 'armazem-version', 'armazem-source', 'armazem-expires', 'location', 'x-request-id'];
const BODY_SHOWN_MAX = 64 * 1024; // characters: a value may have a MiB, a page needs less

const form = document.querySelector('#try');
const fields = form.elements;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const method = event.submitter?.value ?? 'PUT';
  const buttons = form.querySelectorAll('button');
  const busy = (now) => buttons.forEach((button) => { button.disabled = now; });
  busy(true);
  try {
    await send(method);
  } finally {
    busy(false);
    event.submitter?.focus();
  }
});

// Browsers take a path's last part '.' or '..' for a step, encoded or not, and never send it.
fields.key.addEventListener('input', () => {
  fields.key.setCustomValidity(['.', '..'].includes(fields.key.value) ? 'A browser cannot send this key in a path; use curl --path-as-is.' : '');
});

async function send(method) {
  const begun = performance.now();
  try {
    // 'no-store' makes the browser send Cache-Control: no-cache, so that a cluster shows the newest value, too.
    const response = method === 'PUT' ? await put() : await fetch(pathOf(fields.key.value), { method, cache: 'no-store' });
    const body = await response.text();
    show(method, response, body, performance.now() - begun);
  } catch (error) {
    showLine(`${method}: the server does not answer (${error.message})`, false);
    showText('', '');
  }
}

/** The text of a JSON value goes out as it stands, so that no digit of a number is lost on the way. */
function put() {
  const value = fields.json.checked ? fields.value.value : JSON.stringify(fields.value.value);
  const ttl = fields.ttl.value.trim();
  return fetch('/store', {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json', ...(ttl && { 'Armazem-TTL': ttl }) },
    body: `{"key": ${JSON.stringify(fields.key.value)}, "value": ${value}}`,
  });
}

function pathOf(key) {
  return `/store/${encodeURIComponent(key)}`;
}

function show(method, response, body, milliseconds) {
  const problem = response.headers.get('content-type')?.startsWith('application/problem+json');
  const what = problem ? JSON.parse(body).detail : meaning(method, response.status);
  showLine(`${method} ${response.status}: ${what} (${milliseconds.toFixed(1)} ms)`, response.ok);
  const headers = SHOWN_HEADERS.filter((name) => response.headers.has(name))
    .map((name) => `${name}: ${response.headers.get(name)}`);
  showText(headers.join('\n'), body.length > BODY_SHOWN_MAX ? `${body.slice(0, BODY_SHOWN_MAX)}…` : body);
}

function meaning(method, status) {
  return { 200: method === 'PUT' ? 'replaced' : 'found', 201: 'created', 202: 'accepted, not applied yet', 204: 'deleted' }[status] ?? 'answered';
}

function showLine(text, good) {
  document.querySelector('#answer').hidden = false;
  const line = document.querySelector('#answer-line');
  line.textContent = text;
  line.dataset.good = good ? 'yes' : 'no';
}

function showText(headers, body) {
  const set = (id, text) => {
    const element = document.querySelector(id);
    element.textContent = text;
    element.hidden = text === '';
  };
  set('#answer-headers', headers);
  set('#answer-body', body);
}
