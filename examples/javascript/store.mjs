// Armazém from JavaScript, with fetch alone.
const base = (globalThis.process?.argv[2] ?? 'http://127.0.0.1:8000').replace(/\/$/, '');

/** The answer, errors too: their status and problem details are worth as much as a value. */
function request(method, path, { body, headers, signal } = {}) {
  return fetch(base + path, { method, body, headers, signal });
}

const pathOf = (key) => `/store/${encodeURIComponent(key)}`;

/** Server-sent events of an answer; in a browser, EventSource does this (watch.html). */
async function* events(answer) {
  let text = '';
  for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon), line.slice(colon + 2)];
      }));
      if (fields.event) yield { kind: fields.event, id: fields.id, data: JSON.parse(fields.data) };
    }
  }
}

const text = { 'Content-Type': 'text/plain; charset=utf-8' };
const key = 'example/javascript/greeting';

// A watch that is opened first sees all that follows.
const end = new AbortController();
const watch = await request('GET', `/watch?prefix=${encodeURIComponent('example/javascript/')}`, { signal: end.signal });

const put = await request('PUT', pathOf(key), { body: 'Olá', headers: text });
console.log('put:', put.status, (await put.json()).key);

const got = await request('GET', pathOf(key));
console.log('get:', (await got.json()).value);

// Only over the version that was read: nobody else's change is lost.
const condition = { ...text, 'If-Match': got.headers.get('ETag') };
console.log('changed:', (await request('PUT', pathOf(key), { body: 'Bom dia', headers: condition })).status);
const late = await request('PUT', pathOf(key), { body: 'too late', headers: condition });
console.log('too late:', late.status, (await late.json()).type);

const operations = [0, 1, 2].map((number) => ({ op: 'put', key: `example/javascript/${number}`, value: { number } }));
const batch = await request('POST', '/batch', { body: JSON.stringify({ operations }), headers: { 'Content-Type': 'application/json' } });
console.log('batch:', (await batch.json()).results.map((result) => result.status).join(' '));

for (let after = ''; after !== undefined;) {
  const page = await (await request('GET', `/store?prefix=example/javascript/&limit=2&keys_only=true${after}`)).json();
  console.log('page:', page.entries.map((entry) => entry.key).join(' '));
  after = page.next === undefined ? undefined : `&after=${page.next}`;
}

console.log('delete:', (await request('DELETE', pathOf(key))).status);

for await (const { kind, data } of events(watch)) {
  console.log('event:', kind, data.key);
  if (kind === 'delete') break;
}
end.abort();
