// examples/javascript/watch.html in a browser, from the origin of the server: rows come, change and are struck through.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { base, picture, until, visit } from './browser.mjs';

const html = await readFile(new URL('../../examples/javascript/watch.html', import.meta.url), 'utf8');

await visit('/', {}, async (page) => {
  await page.route(`${base}/watch.html**`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(`${base}/watch.html?prefix=${encodeURIComponent('browser/')}`);
  await until(async () => assert.equal(await page.textContent('#state'), 'Watching browser/'));
  const ask = (method, key, body) => page.evaluate(async ([how, path, text]) => {
    const answer = await fetch(path, { method: how, body: text, headers: text ? { 'Content-Type': 'text/plain' } : {} });
    return answer.status;
  }, [method, `/store/${encodeURIComponent(key)}`, body]);
  assert.equal(await ask('PUT', 'browser/a', 'first'), 201);
  assert.equal(await ask('PUT', 'elsewhere', 'unseen'), 201);
  assert.equal(await ask('PUT', 'browser/b', 'second'), 201);
  assert.equal(await ask('PUT', 'browser/a', 'changed'), 200);
  assert.equal(await ask('DELETE', 'browser/b'), 204);
  await until(async () => {
    const rows = await page.$$eval('#keys tr', (all) => all.map((row) => [row.className, row.cells[0].textContent, row.cells[1].textContent]));
    assert.deepEqual(rows, [['put', 'browser/a', '"changed"'], ['delete', 'browser/b', 'null']]);
  });
  await picture(page, 'watch-example');
});
