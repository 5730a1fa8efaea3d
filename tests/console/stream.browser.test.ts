import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Console, goTo, isGone, isLive, launch, openConsole } from "./browser.js";
import { FakeServer } from "./fake_server.js";
import { overview } from "./fixtures.js";

let browser: Browser;
let server: FakeServer;
let shown: Console;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = await new FakeServer().start();
  shown = await openConsole(browser, server);
  page = shown.page;
  await isLive(page);
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  expect(shown.wrong).toEqual([]);
});

const rate = (payments_per_s: number) => ({ rates: { ...overview.rates, payments_per_s } });
/** What the overview shows as payments a second. */
const shownRate = () =>
  expect.poll(() => page.getByRole("region", { name: "Payments" }).locator(".source .big").textContent());

it("figures follow the stream", async () => {
  server.tell(rate(321));
  await shownRate().toBe("321");
  server.tell(rate(0));
  await shownRate().toBe("0");
});

it("a cut stream is said to be cut, and comes back from where it was", async () => {
  const last = server.tell(rate(321));
  await shownRate().toBe("321");
  server.cutStreams();
  await expect.poll(() => server.lastIds).toEqual([undefined, String(last)]);
  server.tell(rate(654));
  await shownRate().toBe("654");
  await isLive(page);
});

it("refused streams are tried again; the page says why it is not live, and what was told last stays", async () => {
  server.refuse(503, "UNAVAILABLE");
  server.cutStreams();
  await page.getByText("Not live: refused").waitFor();
  await page.getByText("This page is not live").getByText("UNAVAILABLE").waitFor();
  await shownRate().toBe("201");
  server.fill("full");
  await isLive(page);
  await isGone(page.getByText("This page is not live"));
});

it("a page too many asks for the overview instead, each time that it is refused", async () => {
  server.refuseStreams(503, "OVERLOADED");
  server.answer("GET overview", { ...overview, ...rate(555) });
  server.cutStreams();
  await shownRate().toBe("555");
  await page.reload();
  await page.getByText("This page is not live").getByText("OVERLOADED").waitFor();
  await shownRate().toBe("555");
});

it("after a resync the page asks for everything again", async () => {
  await goTo(page, "#/payments", "Payments");
  const before = server.asked.length;
  server.say("resync", {});
  await expect
    .poll(() => new Set(server.asked.slice(before)))
    .toEqual(new Set(["overview", "overview/history", "payments"]));
});

it("paused is silent, on the line too, until it is resumed", async () => {
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused").waitFor();
  await expect.poll(() => server.streams).toBe(0);
  server.answer("GET overview", { ...overview, ...rate(777) });
  await page.getByRole("button", { name: "Resume" }).click();
  await shownRate().toBe("777");
  expect(server.streams).toBe(1);
});

it("says that nothing wants attention only when everything was told", async () => {
  server.tell({ alerts: [], workers: null });
  await page.getByText("Not everything was told yet.").waitFor();
  server.tell({ alerts: [] });
  await page.getByText("Nothing wants your attention.").waitFor();
});

it("one page has one stream, whatever it shows", async () => {
  for (const [hash, heading] of [
    ["#/queues", "Queues and dead letters"],
    ["#/runs", "Runs"],
    ["#/", "Overview"],
  ] as const) {
    await goTo(page, hash, heading);
  }
  expect([server.streams, server.lastIds.length]).toEqual([1, 1]);
});

it("rows stay where they are when figures change", async () => {
  await goTo(page, "#/queues", "Queues and dead letters");
  const names = () => page.getByRole("row").getByRole("link").allTextContents();
  const before = await names();
  server.tell({ queues: overview.queues.toReversed().map((queue) => ({ ...queue, messages: 999 })) });
  await page.getByRole("cell", { name: "999" }).first().waitFor();
  expect(await names()).toEqual(before);
});

it("a question that is newer than the paused stream shows, figures and time alike", async () => {
  await goTo(page, "#/queues", "Queues and dead letters");
  server.tell({ queues: overview.queues.map((queue) => ({ ...queue, messages: 999 })) });
  await page.getByRole("cell", { name: "999" }).first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused").waitFor();
  const items = overview.queues.map((queue) => ({ ...queue, messages: 888 }));
  server.answer("GET queues", { items, as_of: "2026-11-27T02:00:00.000Z" });
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByRole("cell", { name: "888" }).first().waitFor();
  await page.getByText("as of 02:00:00").waitFor();
});

it("the chart has a gap while a server is away, though the last rates stay", async () => {
  const latest = page.locator("figure", { hasText: "Coming in" }).locator(".legend li").first();
  await expect.poll(() => latest.textContent()).toMatch(/^payments\/s [\d.]+$/);
  const at = "2026-11-27T02:00:00.000Z";
  server.tell({ point: { ...overview.point, at, payments_per_s: null } });
  await expect.poll(() => latest.textContent()).toBe("payments/s no data");
  await shownRate().toBe("201");
});
