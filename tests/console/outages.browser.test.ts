import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Console, goTo, isGone, isLive, launch, openConsole } from "./browser.js";
import { FakeServer } from "./fake_server.js";
import { PAGES } from "./fixtures.js";

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
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  expect(shown.wrong).toEqual([]);
});

it("every page says that its server is away, and comes back when it is asked again", async () => {
  await isLive(page);
  for (const [hash, heading] of PAGES.filter(([at]) => at !== "#/" && at !== "#/runs/new")) {
    server.refuse(503, "UNAVAILABLE");
    // A name that its data gives is not known yet.
    const title = heading.startsWith("Campaign ") ? `Campaign ${hash.split("/")[2]}` : heading;
    await goTo(page, hash, title);
    const notice = page.getByRole("alert").first();
    expect(await notice.textContent(), hash).toContain("A server that this needs is away.");
    expect(await notice.textContent(), hash).toContain("UNAVAILABLE");
    server.fill("full");
    await page.evaluate(() => {
      for (const again of document.querySelectorAll<HTMLElement>("main [role=alert] button")) {
        again.click();
      }
    });
    await isGone(page.getByRole("alert"));
    await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  }
}, 120_000);

it("what was shown stays, and is called stale, when nobody answers any more", async () => {
  await goTo(page, "#/payments", "Payments");
  await server.stop();
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("The console's server does not answer. What stands below is stale.").waitFor();
  expect(await page.getByRole("cell", { name: "customer-123" }).count()).toBe(1);
  await page.getByText("Stale: no connection").waitFor();
  await server.start();
  await page.getByRole("button", { name: "Try again" }).click();
  await isGone(page.getByRole("alert"));
  await isLive(page);
});

it("a server that is away is named on every page, with the age of what it told", async () => {
  await goTo(page, "#/payments", "Payments");
  const rabbitmq = {
    state: "away",
    since: "2026-11-27T00:59:00.000Z",
    as_of: "2026-11-27T00:58:59.000Z",
    code: "ECONNREFUSED",
  };
  server.tell({
    servers: {
      postgres: { state: "up", since: "2026-11-27T00:00:00.000Z", as_of: null, code: null },
      rabbitmq,
    },
  });
  const notice = page.getByText("RabbitMQ is away since");
  await notice.waitFor();
  expect(await notice.textContent()).toBe(
    "■ RabbitMQ is away since 2026-11-27 00:59:00 (ECONNREFUSED). What comes from it is as of 2026-11-27 00:58:59.",
  );
});
