// How fast the console's lists are, and what an open page costs in memory. On a running system, with Chromium and the built tests/Console.Tests:
//
//   node bench/console-pages.mjs .run/endpoints.json [pages, 100 when left out]
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';

const { chromium } = createRequire(import.meta.url)('../tests/Console.Tests/bin/Release/net10.0/.playwright/package');
const { console: address, clients } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const pages = Number(process.argv[3] ?? 100);
const process_ = readdirSync('/proc').find(id => /^\d+$/.test(id) && read(`/proc/${id}/cmdline`).split('\0')[0].endsWith('/OrderInventory.Console'));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ baseURL: address });

function read(file) {
  try { return readFileSync(file, 'utf8'); } catch { return ''; }
}

const memory = () => Number(/RssAnon:\s+(\d+)/.exec(read(`/proc/${process_}/status`))[1]);
const row = page => page.locator('tbody tr').first();

async function timed(times, act) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await act(i);
    taken.push(performance.now() - from);
  }
  taken.sort((a, b) => a - b);
  return `${Math.round(taken[times >> 1])} ms (median of ${times}; longest ${Math.round(taken.at(-1))})`;
}

const page = await context.newPage();
await page.goto('');
await page.getByLabel('Who').selectOption('demo-admin');
await page.getByLabel('Secret').fill(clients['demo-admin']);
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByRole('heading', { name: 'Today' }).waitFor();
for (const list of ['orders', 'stock', 'catalogue']) {
  await page.goto(list);
  await row(page).waitFor();
  console.log(`${list}, opened at its address:`, await timed(9, async () => { await page.goto(list); await row(page).waitFor(); }));
  const word = (await row(page).innerText()).split(/\s+/).find(part => part.length > 5);
  console.log(`${list}, a search:`, await timed(9, async i => {
    const asked = word.slice(0, word.length - (i % 2));
    await page.locator('#search').fill(asked);
    await page.keyboard.press('Enter');
    await page.waitForURL(url => url.searchParams.get('q') === asked);
    await page.waitForFunction(() => document.querySelector('table')?.getAttribute('aria-busy') === 'false');
  }));
}

await page.goto('stock');
await row(page).waitFor();
console.log('a keystroke in the grid:', await timed(21, async i => {
  await page.locator('tbody input').first().fill(String(1000 + i));
  await page.getByRole('button', { name: 'Save (1)' }).waitFor();
  await page.getByRole('button', { name: 'Forget' }).click();
  await page.getByRole('button', { name: 'Save (0)' }).waitFor();
}), '(two answers: one appears, one goes)');

const before = memory();
for (let i = 0; i < pages; i++) {
  const other = await context.newPage();
  await other.goto('orders');
  await row(other).waitFor();
}
console.log(`${pages} more open pages of orders: ${Math.round((memory() - before) / pages)} KB each (console's own memory, ${Math.round(before / 1024)} MB before)`);
await browser.close();
