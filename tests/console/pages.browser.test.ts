import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accessibilityFaults,
  type Console,
  cutElements,
  goTo,
  isLive,
  launch,
  openConsole,
} from "./browser.js";
import { FakeServer, problem } from "./fake_server.js";
import { SHAPES } from "./fixtures/shapes.js";
import { ENDPOINTS, ID, PAGES } from "./fixtures.js";

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
          // Dark differs from light by its colours alone.
          const rules = look.colorScheme === "dark" ? ["color-contrast"] : undefined;
          const faults = [...(await cutElements(page)), ...(await accessibilityFaults(page, rules))];
          expect(faults, hash).toEqual([]);
        }
      });
    },
    120_000,
  );
});

const WIDE = { width: 1_280, colorScheme: "light" } as const;

it("zero, none told and empty are three things", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/", "Overview");
    const providers = page.getByRole("region", { name: "Providers" });
    expect(await providers.textContent()).toContain("0 events/s");
    server.fill("empty");
    server.tell();
    await providers.getByText("no data").first().waitFor();
    await page.getByText("No audit is known.").waitFor();
    await page.getByText("Not everything was told yet.").waitFor();
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

it("a month's shapes are drawn, each with what was published, how far it is and who says so", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/data", "Data");
    await page.getByLabel("By", { exact: true }).selectOption("shapes");
    await page.getByLabel("Month", { exact: true }).selectOption("2025-03");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("heading", { name: "2025-03 beside published shapes" }).waitFor();
    const digits = page.getByRole("list", { name: "first digits of purchases" }).getByRole("listitem");
    await digits.first().waitFor();
    expect(await digits.allTextContents()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^130\.\d %, published 30\.1 %$/)]),
    );
    expect(await digits.count()).toBe(9);
    expect(await page.getByRole("list", { name: "rows by weekday" }).getByRole("listitem").count()).toBe(7);
    expect(await page.locator("figure canvas").count()).toBe(1);
    // Whatever is compared has its mark, and a bar with a length.
    const drawn = page.locator(".bar:has(i)");
    expect(await drawn.count()).toBe(9 + SHAPES.filter(({ published }) => published !== null).length);
    for (const bar of await drawn.locator("span").all()) {
      expect((await bar.boundingBox())?.width).toBeGreaterThan(0);
    }
    const cellsOf = (name: RegExp) => page.getByRole("row", { name }).getByRole("cell").allTextContents();
    expect(await cellsOf(/^mean bill in restaurants/)).toEqual([
      ...["mean bill in restaurants", "", "73.8 USD", "34 USD to 51 USD", "0.369", "▲ far"],
      "PYMNTS and Payroc, pymnts.com/?p=1382626",
    ]);
    expect(await cellsOf(/^refund after its purchase, half/)).toEqual([
      ...["refund after its purchase, half of them", "–none", "2.03 hours", "–none", "–none"],
      ...["○ none published", "–none"],
    ]);
    expect(server.asked.filter((path) => path === "data/profile")).toHaveLength(1);
  });
});

it("a month that is gone, or too large to be read, says so in place of its shapes", async () => {
  const detail = "2025-06 is not published. Load some: payments kickoff.";
  server.answer("GET data/profile", problem(404, "MONTH_UNKNOWN", detail), 404);
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/data?by=shapes", "Data");
    await page.getByRole("alert").getByText(detail).waitFor();
    await page.getByText("MONTH_UNKNOWN").waitFor();
    await page.getByRole("table", { name: "Published months" }).waitFor();
  });
});

it("an address of no page says so", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/nowhere/at/all", "No such page");
  });
});

it("a dead letter leads to the payment that it is about", async () => {
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, `#/queues/wallet.dlq/letters/${ID.letter}`, `Dead letter ${ID.letter}`);
    await page.getByRole("link", { name: ID.payment, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: `Payment ${ID.payment}` }).waitFor();
  });
});

it("says what is a sample, and what is left out", async () => {
  const answerOf = (path: string) => ENDPOINTS.find((each) => each.path === path)?.full as object;
  const { window } = answerOf(`windows/${ID.window}`) as { window: object };
  server.answer(`GET windows/${ID.window}`, {
    ...answerOf(`windows/${ID.window}`),
    window: { ...window, expected: 20 },
  });
  server.answer("GET data/rollups", {
    ...answerOf("data/rollups"),
    ...{ by: "decline_reason", sampled: 0.06 },
    groups: [{ group: "FUNDS", transactions: 12, approved: null, fraud: null, volume: [] }],
  });
  await inWindow(WIDE, async ({ page }) => {
    await goTo(page, "#/data?by=decline_reason", "Data");
    await page.getByRole("columnheader", { name: "In the sample" }).waitFor();
    expect(await page.getByRole("columnheader", { name: "Transactions" }).count()).toBe(0);
    await goTo(page, `#/windows/${ID.window}`, `Window ${ID.window}`);
    await page.getByText("The rest, slots 13 to 20, is not shown.").waitFor();
  });
});
