// A newcomer's first minute in Swagger UI: put the example, get it back, and a key with a slash.
import assert from 'node:assert/strict';
import { base, picture, visit } from './browser.mjs';

const key = { first: 'greeting', slash: 'users/42' };
await fetch(`${base}/store/${key.first}`, { method: 'DELETE' });
await fetch(`${base}/store/${key.slash}`, { method: 'PUT', headers: { 'Content-Type': 'text/plain' }, body: 'Inês' });

await visit('/swagger-ui/index.html', { viewport: { width: 1280, height: 1800 } }, async (page) => {
  assert.match(await page.title(), /^Armazém/);
  await page.locator('.info .title', { hasText: 'Armazém' }).waitFor();
  await picture(page, 'swagger-ui');

  const put = await open(page, 'store', 'putJson');
  const stored = await execute(put);
  assert.equal(stored.status, '201', stored.text);
  await picture(page, 'swagger-ui-put', put);

  const get = await open(page, 'store', 'get');
  await get.locator('tr[data-param-name="key"] input').fill(key.first);
  const found = await execute(get);
  assert.equal(found.status, '200', found.text);
  assert.match(found.text, /Olá, mundo!/);
  assert.match(found.text, /ms/, 'the duration of the request is shown');
  await picture(page, 'swagger-ui-get', get);

  await get.locator('tr[data-param-name="key"] input').fill(key.slash);
  await get.locator('.btn-clear').click();
  const slash = await execute(get);
  assert.equal(slash.status, '200', slash.text);
  assert.match(slash.text, /Inês/);
  assert.match(slash.text, /users%2F42/, 'Swagger UI encodes the slash');
  assert.equal(await page.locator('.version-stamp .validator, img[alt*="validator" i]').count(), 0, 'a validator badge');
});
console.log('ok');

/** Unfolds an operation, ready for Execute. */
async function open(page, tag, operation) {
  const block = page.locator(`#operations-${tag}-${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.locator('.execute').or(block.locator('.try-out__btn', { hasText: 'Try it out' })).first().waitFor();
  const start = block.locator('.try-out__btn', { hasText: 'Try it out' });
  if (await start.count()) await start.click();
  return block;
}

async function execute(block) {
  await block.locator('.execute').click();
  const answer = block.locator('.live-responses-table');
  await answer.waitFor();
  const status = await answer.locator('tbody .response-col_status').first().innerText();
  return { status: status.trim().split(/\s/)[0], text: await block.locator('.responses-inner').first().innerText() };
}
