// The dashboard: readiness and figures appear, the form stores, reads and deletes a key, texts are shown as texts, and a
// server that stops answering, or that has lost a part, is reported.
import assert from 'node:assert/strict';
import { base, picture, until, visit } from './browser.mjs';

const VALUE = '<img src="/nowhere" alt="x"> & Olá, mundo!';
const KEY = 'dashboard <b>/ %2F olá';

for (const colorScheme of ['light', 'dark']) {
  await visit('/', { colorScheme }, async (page, seen) => {
    assert.equal(await page.title(), 'Armazém');
    await page.locator('#state[data-state="ready"]').waitFor();
    await page.locator('#checks li', { hasText: 'store' }).waitFor();

    await page.getByRole('textbox', { name: 'Key', exact: true }).fill(KEY);
    await page.getByRole('textbox', { name: 'Value', exact: true }).fill(VALUE);
    await press(page, 'Put', /^PUT 20[01]: /);
    await press(page, 'Get', /^GET 200: /);
    assert.deepEqual(JSON.parse(await page.locator('#answer-body').innerText()), { value: VALUE });
    assert.equal(await page.locator('#answer img').count(), 0, 'a value became markup');

    // Only a second reading of the metrics gives rates.
    await page.locator('#methods tr', { hasText: 'PUT' }).waitFor();
    await until(async () => assert.match(await page.locator('#memory').innerText(), /iB$/));
    await until(async () => assert.match(await page.locator('#connections').innerText(), /^[1-9]/));
    await until(async () => assert.match(await page.locator('#writes').innerText(), /[0-9.]+ \/s$/));
    await until(async () => assert.match(await page.locator('#batches').innerText(), /[0-9.]+ \/s$/));
    await picture(page, `dashboard-${colorScheme}`);

    await press(page, 'Delete', /^DELETE 204: deleted/);
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, 'a small screen must scroll in one direction only');
    await picture(page, `dashboard-${colorScheme}-small`);

    assert.deepEqual(seen.errors, []);
    await page.context().setOffline(true);
    await page.locator('#state[data-state="unreachable"]').waitFor();
    assert.match(await page.locator('#trouble').innerText(), /does not answer/);
    await picture(page, `dashboard-${colorScheme}-unreachable`);
    await page.context().setOffline(false);
    await page.locator('#state[data-state="ready"]').waitFor();
    assert.ok(await page.locator('#trouble').isHidden());
    seen.errors.length = 0; // the browser itself logs each failed poll
  });
}

// A cluster that has lost its cache: each part by name, and that service goes on.
await visit('/', {}, async (page) => {
  const checks = [
    { name: 'store', status: 'ok', detail: 'CockroachDB' },
    { name: 'cache', status: 'failed', detail: 'no node answers' },
    { name: 'queue', status: 'ok', detail: 'RabbitMQ' },
    { name: 'server', status: 'ok', detail: 'serving' },
  ];
  const report = { status: 'ready', checks, version: '0.1.0', uptime_seconds: 61 };
  await page.route('**/health/ready?verbose', (route) => route.fulfill({ json: report }));
  await page.locator('#checks li').nth(3).waitFor();
  const lines = await page.locator('#checks li').allInnerTexts();
  assert.deepEqual(lines.map((line) => line.split(/\s+/)[0]), ['store', 'cache', 'queue', 'server']);
  assert.match(lines[1], /✗ failed\s+no node answers/);
  assert.equal(await page.locator('#trouble').innerText(), 'Service goes on without: cache.');
  assert.equal(await page.locator('#state').getAttribute('data-state'), 'ready');
  await picture(page, 'dashboard-cluster');
});
console.log('ok', base);

async function press(page, button, expected) {
  await page.getByRole('button', { name: button, exact: true }).click();
  await until(async () => assert.match(await page.locator('#answer-line').innerText(), expected));
}
