import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Console, goTo, launch, openConsole } from "./browser.js";
import { FakeServer } from "./fake_server.js";
import { ENDPOINTS, EXACT, ID, PAGES } from "./fixtures.js";

/** Each would run, load or leave if it were taken for more than text. */
const HOSTILE = `"><script>document.title='pwned'</script><img src="//evil.test/x" onerror="document.title='pwned'">&amp;{{7*7}}`;
/** What a path, a state or a time is must keep its form; all else is a stranger's text. */
const KEPT =
  /^(state|status|outcome|kind|step|came|told|by|encoding|place|role|method|awaiting|currency|moneda|severity|estado|month|unit|verdict|version|active|fx_day|direction|done|at|as_of|since|from|to|deadline)$|_at$/;

let browser: Browser;
let server: FakeServer;
let shown: Console;
beforeAll(async () => {
  browser = await launch();
  server = await new FakeServer().start();
  shown = await openConsole(browser, server);
});
afterAll(async () => {
  await browser.close();
  await server.stop(); // fails when it was asked what no contract takes
});

/** The same with hostile text wherever a stranger's text can stand. */
function poisoned(value: unknown, key = ""): unknown {
  if (typeof value === "string") {
    const isFormed = KEPT.test(key) || /^\d/.test(value) || Object.values<string>(ID).includes(value);
    return isFormed ? value : HOSTILE;
  }
  if (Array.isArray(value)) {
    return value.map((item) => poisoned(item, key));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poisoned(item, name)]));
  }
  return value;
}

it("a stranger's text is text on every page", async () => {
  const { page, wrong } = shown;
  const endpoints = ENDPOINTS.filter(({ path }) => path !== "me");
  for (const { path, full, schema } of endpoints) {
    server.answer(`GET ${path}`, schema.parse(poisoned(full)));
  }
  server.tell();
  let seen = 0;
  for (const [hash, heading] of PAGES.filter(([at]) => at !== "#/runs/new")) {
    const title = heading === "Campaign Autumn" ? `Campaign ${HOSTILE}` : heading;
    await goTo(page, hash, title);
    // It follows the heading.
    await expect.poll(() => page.title(), { message: hash }).toBe(`${title} · Payments console`);
    expect(await page.locator("main script, main img, main iframe").count(), hash).toBe(0);
    seen += (await page.locator("main").textContent())?.includes(HOSTILE) ? 1 : 0;
  }
  // A page of numbers and names of ours has no place for it.
  expect(seen).toBeGreaterThan(PAGES.length - 4);
  expect(wrong).toEqual([]);
  server.fill("full");
}, 60_000);

it("ids and amounts are shown to the last digit", async () => {
  const { page } = shown;
  const { full } = ENDPOINTS.find(({ path }) => path === "payments") as { full: { items: object[] } };
  server.answer("GET payments", {
    ...full,
    items: full.items.map((item) => ({ ...item, amount: EXACT.amount })),
  });
  await goTo(page, "#/payments", "Payments");
  expect(await page.getByRole("link", { name: ID.payment, exact: true }).getAttribute("href")).toBe(
    `#/payments/${ID.payment}`,
  );
  expect(await page.getByText(/^9,007,199,254,740,993\.10 \w{3}$/).count()).toBe(full.items.length);
  await goTo(page, "#/reports", "Reports");
  expect(await page.getByText("9007199254740993", { exact: true }).count()).toBeGreaterThan(0);
});

it("ids lead to what they name: payment, event, dead letter, window's queue, report", async () => {
  const { page } = shown;
  await goTo(page, `#/payments/${ID.payment}`, `Payment ${ID.payment}`);
  await page.getByRole("link", { name: ID.event }).click();
  await page.getByRole("heading", { level: 1, name: `Event ${ID.event}` }).waitFor();
  await page.getByRole("link", { name: "the payment" }).click();
  await page.getByRole("heading", { level: 1, name: `Payment ${ID.payment}` }).waitFor();
  await page.getByRole("link", { name: ID.letter }).click();
  await page.getByRole("heading", { level: 1, name: `Dead letter ${ID.letter}` }).waitFor();
  await page.getByRole("link", { name: "wallet.dlq" }).click();
  await page.getByRole("heading", { level: 1, name: "Queue wallet.dlq" }).waitFor();
  await page.goBack();
  await page.goBack();
  await page.getByRole("link", { name: "USD of customer-123" }).click();
  await page.getByRole("heading", { level: 1, name: `Wallet ${ID.wallet}` }).waitFor();
});

it("filters and the place in a list stand in the address: back and reload keep them", async () => {
  const { page } = shown;
  const { full } = ENDPOINTS.find(({ path }) => path === "payments") as { full: object };
  server.answer("GET payments", { ...full, next: "cursor-2" });
  await goTo(page, "#/payments", "Payments");
  await page.getByLabel("Customer").fill("customer-123");
  await page.getByLabel("State").selectOption("DECLINED");
  await page.getByLabel("From (UTC)").fill("2026-11-27T00:30");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Next page" }).click();
  await page.getByRole("link", { name: "First page" }).waitFor();
  const hash = await page.evaluate(() => location.hash);
  expect(new URLSearchParams(hash.split("?")[1]).get("from")).toBe("2026-11-27T00:30");
  await page.reload();
  await page.getByRole("link", { name: "First page" }).waitFor();
  expect(await page.evaluate(() => location.hash)).toBe(hash);
  expect(await page.getByLabel("Customer").inputValue()).toBe("customer-123");
  expect(await page.getByLabel("State").inputValue()).toBe("DECLINED");
  await page.goBack();
  await expect.poll(() => page.url()).not.toContain("cursor");
  expect(await page.getByLabel("State").inputValue()).toBe("DECLINED");
  server.fill("full");
});

it("each list's filters are those that its contract takes", async () => {
  const { page } = shown;
  let filtered = 0;
  for (const [hash, heading] of PAGES.filter(([at]) => /^#\/\w+$/.test(at))) {
    await goTo(page, hash, heading);
    const form = page.getByRole("form", { name: "Filters" });
    if (await form.count()) {
      for (const text of await form.locator("input[type=text]").all()) {
        await text.fill("a1");
      }
      for (const time of await form.locator("input[type=datetime-local]").all()) {
        await time.fill("2026-11-27T00:30");
      }
      const choices = await form.locator("select").all();
      for (const choice of choices) {
        await choice.selectOption({ index: (await choice.locator("option").count()) - 1 });
      }
      const before = server.asked.length;
      await form.getByRole("button", { name: "Show" }).click();
      await expect.poll(() => server.asked.length, { message: hash }).toBeGreaterThan(before);
      filtered += 1;
    }
  }
  expect(filtered).toBe(8);
});
