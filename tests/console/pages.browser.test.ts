import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accessibilityFaults,
  type Console,
  cutElements,
  goTo,
  isGone,
  isLive,
  launch,
  openConsole,
} from "./browser.js";
import { FakeServer } from "./fake_server.js";
import { PAGES } from "./fixtures.js";

let browser: Browser;
let server: FakeServer;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = await new FakeServer().start();
});
afterEach(() => server.stop());

/** The console in a window, closed and found without fault at the test's end. */
async function inWindow(
  look: { readonly width: number; readonly colorScheme: "light" | "dark" },
  test: (shown: Console) => Promise<void>,
): Promise<void> {
  const { width, colorScheme } = look;
  const shown = await openConsole(browser, server, { viewport: { width, height: 900 }, colorScheme });
  await test(shown);
  expect(shown.wrong).toEqual([]);
  await shown.page.context().close();
}

/** Into the folder that CONSOLE_SCREENSHOTS names, to be looked at: `console-payments-narrow-dark.png`. */
async function keepPicture(page: Page, ...name: readonly string[]): Promise<void> {
  const folder = process.env["CONSOLE_SCREENSHOTS"];
  if (folder !== undefined) {
    const path = join(folder, `${["console", ...name].filter(Boolean).join("-")}.png`);
    await page.screenshot({ path, fullPage: process.env["CONSOLE_WHOLE"] !== undefined });
  }
}

/** Layouts differ by width and colours by scheme, so what is empty is seen in two of the four. */
describe.each([
  { width: 1_280, colorScheme: "light", kinds: ["full", "empty"] },
  { width: 1_280, colorScheme: "dark", kinds: ["full"] },
  { width: 400, colorScheme: "light", kinds: ["full"] },
  { width: 400, colorScheme: "dark", kinds: ["full", "empty"] },
] as const)("$width pixels wide, $colorScheme", ({ kinds, ...look }) => {
  it.each(kinds)(
    "every page is whole and accessible: %s",
    async (which) => {
      server.fill(which);
      await inWindow(look, async ({ page }) => {
        for (const [hash, heading, picture] of PAGES) {
          await goTo(page, hash, heading);
          await keepPicture(
            page,
            picture,
            look.width < 1_000 ? "narrow" : "",
            look.colorScheme === "dark" ? "dark" : "",
            which === "empty" ? "empty" : "",
          );
          // With data, dark differs from light by its colours alone.
          const rules = look.colorScheme === "dark" && which === "full" ? ["color-contrast"] : undefined;
          const faults = [...(await cutElements(page)), ...(await accessibilityFaults(page, rules))];
          expect(faults, hash).toEqual([]);
        }
      });
    },
    120_000,
  );
});

const WIDE = { width: 1_280, colorScheme: "light" } as const;

it("every page says that its server is away, and comes back when it is asked again", async () => {
  await inWindow(WIDE, async ({ page }) => {
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
  });
}, 120_000);

it("what was shown stays, and is called stale, when nobody answers any more", async () => {
  await inWindow(WIDE, async ({ page }) => {
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
});

it("a server that is away is named on every page, with the age of what it told", async () => {
  await inWindow(WIDE, async ({ page }) => {
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
});

it("zero, none told and empty are three things", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/", "Overview");
    const providers = page.getByRole("region", { name: "Providers" });
    expect(await providers.textContent()).toContain("0 events/s");
    server.fill("empty");
    server.tell();
    await providers.getByText("no data").first().waitFor();
    await page.getByText("No audit is known.").waitFor();
    await goTo(page, "#/actions", "Actions");
    await page.getByText("Nothing was done from the console yet.").waitFor();
  });
});

it("a chart has a table, in which a gap is no data", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await isLive(page);
    await page.getByText("Coming in as a table").click();
    const row = page.getByRole("row", { name: "00:52:30" });
    expect(await row.getByRole("cell").allTextContents()).toEqual(["213", "13", "0"]);
    const gap = page.getByRole("row", { name: "00:52:28" });
    expect(await gap.getByRole("cell").allTextContents()).toEqual(["no data", "13", "0"]);
    expect(await page.locator("figure canvas").count()).toBe(2);
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});

it("an address of no page says so", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/nowhere/at/all", "No such page");
  });
});
