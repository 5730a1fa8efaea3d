// npm run screenshots [-- ADDRESS]: pictures of each page of a console that runs, in docs/images, light and at 1,280 pixels; the
// overview also dark and narrow. Details are of whatever stands first in each list.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const address = process.argv[2] ?? "http://localhost:8080";
const folder = join(import.meta.dirname, "../docs/images");
const LISTS = [
  "runs",
  "data",
  "payments",
  "wallets",
  "payouts",
  "campaigns",
  "reports",
  "events",
  "rules",
  "windows",
  "queues",
  "backups",
  "actions",
];
const DETAILS = { runs: "run", payments: "payment", payouts: "payout", events: "event", windows: "window" };
const QUIET_MS = 1_500;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
  ],
});
await mkdir(folder, { recursive: true });

/** A picture of a page once its figures are there. */
async function take(page, name) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForTimeout(QUIET_MS); // a chart is drawn of several points
  await page.screenshot({ path: join(folder, `console-${name}.png`) });
  console.log(`docs/images/console-${name}.png`);
}

async function open(options, hash = "#/") {
  const page = await browser.newPage(options);
  await page.goto(`${address}/${hash}`);
  return page;
}

const WIDE = { viewport: { width: 1_280, height: 900 }, colorScheme: "light" };
await take(await open(WIDE), "overview");
await take(await open({ ...WIDE, colorScheme: "dark" }), "overview-dark");
await take(await open({ ...WIDE, viewport: { width: 400, height: 900 } }), "overview-narrow");
const page = await open(WIDE);
for (const list of LISTS) {
  await page.goto(`${address}/#/${list}`);
  await take(page, list);
  const detail = page.locator(`td a[href^="#/${list}/"]`).first();
  if (list in DETAILS && (await detail.count()) > 0) {
    await detail.click();
    await take(page, DETAILS[list]);
  }
}
await browser.close();
