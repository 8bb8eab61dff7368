// Debian's Chromium on a page of the server: `visit` opens it, runs a scenario, and fails when the page asked another host
// for anything or logged an error.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const [base, screenshots] = process.argv.slice(2);
export const WAIT_MS = 15000;

const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // Even a request that escapes the check below cannot leave this machine.
  `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(base).hostname}`];

export async function visit(path, options, scenario) {
  const profile = await mkdtemp(join(tmpdir(), 'armazem-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.ARMAZEM_CHROMIUM ?? '/usr/bin/chromium', args: ARGS, viewport: { width: 1280, height: 900 }, ...options,
  });
  try {
    const page = context.pages()[0] ?? await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const seen = watch(page);
    await page.goto(base + path);
    await scenario(page, seen);
    const elsewhere = seen.requests.filter((url) => !url.startsWith(`${base}/`) && !/^(data|blob|about):/.test(url));
    assert.deepEqual(elsewhere, [], 'the page asked another host');
    assert.deepEqual(seen.errors, [], 'the page logged errors');
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

function watch(page) {
  const seen = { requests: [], errors: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(`${message.text()} (${message.location().url})`);
  });
  return seen;
}

/** Of the whole page, or of what the window shows when scrolled to `top`. */
export async function picture(page, name, top) {
  if (top) await top.evaluate((element) => element.scrollIntoView());
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: top === undefined });
}

/** Polls until the check no longer throws; the last failure when the time is over. */
export async function until(check) {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    try {
      return await check();
    } catch (failure) {
      if (performance.now() > end) throw failure;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}
