import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { accessibilityFaults, type Console, goTo, launch, openConsole } from "./browser.js";
import { FakeServer, problem } from "./fake_server.js";
import { ENDPOINTS, ID } from "./fixtures.js";

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

const action = (change: object = {}) => ({
  action_id: ID.action,
  kind: "letters.replay",
  subject: "wallet.dlq",
  asked: { queue: "wallet.dlq", id: ID.letter, expected: 1 },
  state: "done",
  result: { replayed: 3 },
  failure: null,
  who: "operator on this machine",
  why: "the wallet is there now",
  at: "2026-11-27T01:00:00.000Z",
  ended_at: "2026-11-27T01:00:01.000Z",
  as_of: "2026-11-27T01:00:02.000Z",
  ...change,
});
const running = action({ state: "running", result: null, ended_at: null });

const PREVIEW = {
  total: 3,
  selected: 3,
  forecasts: [
    { id: "m1", code: "UNKNOWN_WALLET", kind: "would apply", why: "The wallet is there now." },
    { id: "m2", code: "UNKNOWN_WALLET", kind: "already applied", why: "It was decided." },
    { id: "m3", code: "UNKNOWN_WALLET", kind: "would apply", why: "The wallet is there now." },
  ],
  as_of: "2026-11-27T01:00:00.000Z",
};

async function openQueue(): Promise<void> {
  server.answer("POST letters/preview", PREVIEW);
  await goTo(page, "#/queues/wallet.dlq", "Queue wallet.dlq");
}
const dialog = () => page.getByRole("dialog");
const sent = (path: string) => server.posts.filter((post) => post.path === path);

it("a task by keyboard alone: dead letters are looked at, replayed, and the focus is back where it was", async () => {
  await openQueue();
  server.answer("POST letters/replay", action());
  const replay = page.getByRole("button", { name: "Replay all …" });
  await replay.focus();
  await page.keyboard.press("Enter");
  await dialog().getByRole("heading", { name: "Replay all dead letters of wallet.dlq" }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.keyboard.press("Enter"); // the dry run has the focus
  await dialog().getByText("3 of 3 letters in the queue are meant.").waitFor();
  expect(await dialog().getByRole("row").count()).toBe(4);
  expect(sent("letters/preview")).toEqual([
    { path: "letters/preview", key: undefined, body: { queue: "wallet.dlq", all: true } },
  ]);
  await page.keyboard.type("the wallet is there now"); // the reason has the focus
  await page.keyboard.press("Enter");
  await dialog().getByText('"replayed": 3').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  expect(sent("letters/replay")).toEqual([
    {
      path: "letters/replay",
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
      body: { queue: "wallet.dlq", all: true, expected: 3, reason: "the wallet is there now" },
    },
  ]);
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  expect(await replay.evaluate((button) => button === document.activeElement)).toBe(true);
});

it("Tab stays in the dialog, Escape leaves it and nothing was done", async () => {
  await openQueue();
  await page.getByRole("button", { name: "Replay all …" }).click();
  for (let press = 0; press < 6; press += 1) {
    await page.keyboard.press("Tab");
    const outside = await page.evaluate(() => {
      const at = document.activeElement;
      return at !== document.body && at?.closest("dialog") === null;
    });
    expect(outside).toBe(false);
  }
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  expect(server.posts).toEqual([]);
});

it("what cannot be undone wants its name typed", async () => {
  await openQueue();
  server.answer("POST letters/abandon", action({ kind: "letters.abandon" }));
  await page.getByRole("button", { name: "Abandon all …" }).click();
  await dialog().getByRole("button", { name: "Dry run" }).click();
  await dialog().getByLabel("Why").fill("they are of a test");
  const abandon = dialog().getByRole("button", { name: "Abandon" });
  expect(await abandon.isEnabled()).toBe(false);
  await dialog().getByLabel("Type wallet.dlq to confirm").fill("wallet.dl");
  await page.keyboard.press("Enter");
  expect(await abandon.isEnabled()).toBe(false);
  await dialog().getByLabel("Type wallet.dlq to confirm").fill("wallet.dlq");
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Close" }).waitFor();
  expect(sent("letters/abandon")).toHaveLength(1);
});

it("clicks that come at once do it once", async () => {
  await goTo(page, "#/runs/r7", "Run r7");
  server.answer("POST runs/r7/verify", action());
  server.answer("POST runs/r7/resume", action({ kind: "run.resume", subject: "r7" }));
  await page.getByRole("button", { name: "Resume …" }).click();
  await dialog().getByLabel("Why").fill("it stands still");
  // Before the page can draw the button as disabled.
  await dialog()
    .getByRole("button", { name: "Resume" })
    .evaluate((button: HTMLButtonElement) => {
      button.click();
      button.click();
      button.form?.requestSubmit();
    });
  await dialog().getByRole("button", { name: "Close" }).waitFor();
  expect(sent("runs/r7/resume")).toHaveLength(1);
});

it("what got no answer is sent again as it was, from a dialog that is opened anew too; then it is another action", async () => {
  const resume = page.getByRole("button", { name: "Resume …" });
  const why = dialog().getByLabel("Why");
  await goTo(page, "#/runs/r7", "Run r7");
  server.answer("POST runs/r7/resume", problem(503, "UNAVAILABLE", "A server that this needs is away."), 503);
  await resume.click();
  await why.fill("it stands stil");
  await page.keyboard.press("Enter");
  await dialog().getByText("Trying again does not do it twice.").waitFor();
  expect(await why.isEditable()).toBe(false);
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  await resume.click();
  expect(await why.inputValue()).toBe("it stands stil");
  server.answer("POST runs/r7/resume", action({ kind: "run.resume", subject: "r7", asked: {} }));
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Close" }).click();
  await resume.click();
  await why.fill("it still stands still");
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Close" }).waitFor();
  const [first, second, third] = sent("runs/r7/resume");
  expect(second).toEqual(first);
  expect(third?.key).not.toBe(first?.key);
  expect(third?.body).toEqual({ reason: "it still stands still" });
});

it("letters that nobody has seen are not touched, and of none nothing can be done", async () => {
  await openQueue();
  server.answer("POST letters/preview", { ...PREVIEW, total: 2_000, selected: 0 });
  await page.getByRole("button", { name: "Abandon all …" }).click();
  await dialog().getByText("as many as the dry run finds").waitFor();
  await dialog().getByRole("button", { name: "Dry run" }).click();
  await dialog().getByText("0 of 2,000 letters in the queue are meant.").waitFor();
  expect(await dialog().getByLabel("Why").count()).toBe(0);
  server.answer("POST letters/preview", { ...PREVIEW, total: 1_512, selected: 1_512 });
  server.answer("POST letters/abandon", action({ kind: "letters.abandon" }));
  await dialog().getByRole("button", { name: "Dry run" }).click();
  await dialog().getByLabel("Type wallet.dlq to confirm").fill("wallet.dlq");
  await dialog().getByLabel("Why").fill("they are of a test");
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Close" }).waitFor();
  expect(sent("letters/abandon").map(({ body }) => body)).toEqual([
    { queue: "wallet.dlq", all: true, expected: 1_512, reason: "they are of a test" },
  ]);
});

it("one that runs is followed to its end, and then the page is asked for again", async () => {
  await goTo(page, "#/data", "Data");
  server.answer("POST months/2025-01/heal", running, 202);
  server.answer(`GET actions/${ID.action}`, running);
  await page.getByRole("button", { name: "Heal …" }).first().click();
  await dialog().getByLabel("Why").fill("verify found a difference");
  await page.keyboard.press("Enter");
  await dialog().getByText("○ running").waitFor();
  const asked = (path: string) => server.asked.filter((each) => each === path).length;
  await expect.poll(() => asked(`actions/${ID.action}`)).toBeGreaterThan(0);
  const before = asked("data/months");
  const failure = { code: "MONTH_BUSY", detail: "A run is at this month.", hint: "Wait for it." };
  server.answer(`GET actions/${ID.action}`, action({ state: "failed", result: null, failure }));
  await dialog().getByText("A run is at this month. Wait for it.").waitFor();
  await expect.poll(() => asked("data/months")).toBe(before + 1);
});

it("a second tab is told who is at it, and since when", async () => {
  await goTo(page, "#/data", "Data");
  const detail = "night shift began it at 2026-11-27T00:59:00Z, and it runs yet.";
  server.answer("POST months/2025-01/heal", problem(409, "CONSOLE_ACTION_RUNNING", detail), 409);
  await page.getByRole("button", { name: "Heal …" }).first().click();
  await dialog().getByLabel("Why").fill("verify found a difference");
  await page.keyboard.press("Enter");
  await dialog().getByText(detail).waitFor();
  await dialog().getByText("CONSOLE_ACTION_RUNNING").waitFor();
  // It was refused: nothing is in the dark.
  expect(await dialog().getByText("Trying again").count()).toBe(0);
  expect(await dialog().getByLabel("Why").isEditable()).toBe(true);
});

it("a run is shown before it is started, by what the form says then", async () => {
  const preview = {
    ...{
      rows: 1_000_000,
      seed: 42,
      from: "2025-01-01",
      to: "2025-02-01",
      dirt_rate: 0.01,
      fraud_rate: 0.002,
      fraud_difficulty: "medium",
    },
    ...{
      chunk_rows: 20_000,
      chunks: 50,
      bytes: 210_000_000,
      seeded: true,
      as_of: "2026-11-27T01:00:00.000Z",
    },
    months: [{ month: "2025-01", rows: 1_000_000, chunks: 50 }],
  };
  await goTo(page, "#/runs/new", "Start a run");
  const refused = {
    ...problem(400, "REQUEST_INVALID", "The request does not fit its schema."),
    errors: [{ in: "body", pointer: "#/rows", detail: "is no number" }],
  };
  server.answer("POST runs/preview", refused, 400);
  await page.getByLabel("Rows in all months").fill("many");
  await page.keyboard.press("Enter");
  await page.getByText("is no number").waitFor();
  expect(await page.getByLabel("Rows in all months").getAttribute("aria-invalid")).toBe("true");
  server.answer("POST runs/preview", preview);
  await page.getByLabel("Rows in all months").fill("1,000,000");
  await page.keyboard.press("Enter");
  await page.getByText("about 200 MB").waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.getByLabel("Seed").fill("7");
  await page.getByText("about 200 MB").waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  server.answer("POST runs", action({ kind: "run.start", subject: "new" }));
  await page.getByRole("button", { name: "Start the run …" }).click();
  await dialog().getByLabel("Why").fill("more rows for a trial");
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Close" }).waitFor();
  expect(sent("runs").map(({ body }) => body)).toEqual([
    { rows: 1_000_000, seed: 7, reason: "more rows for a trial" },
  ]);
});

it("each action of the page sends what its contract wants", async () => {
  const actions: readonly (readonly [
    hash: string,
    heading: string,
    button: string,
    path: string,
    body: object,
  ])[] = [
    ["#/reports", "Reports", "Switch to v2 …", "reports/switch", { version: "v2", epoch: 3 }],
    ["#/rules", "Rules and mappings", "Accept …", `mappings/${ID.mapping}/accept`, {}],
    ["#/rules", "Rules and mappings", "Reject …", `mappings/${ID.mapping}/reject`, {}],
    ["#/runs/r7", "Run r7", "Cancel the run …", "runs/r7/cancel", {}],
    ["#/data", "Data", "Heal …", "months/2025-01/heal", {}],
    [
      `#/queues/wallet.dlq/letters/${ID.letter}`,
      `Dead letter ${ID.letter}`,
      "Replay …",
      "letters/replay",
      { queue: "wallet.dlq", id: ID.letter, expected: 1 },
    ],
  ];
  server.answer("POST letters/preview", { ...PREVIEW, selected: 1, forecasts: null });
  for (const [hash, heading, button, path, body] of actions) {
    server.answer(`POST ${path}`, action());
    await goTo(page, hash, heading);
    await page.getByRole("button", { name: button, exact: true }).first().click();
    await dialog().waitFor();
    const dryRun = dialog().getByRole("button", { name: "Dry run" });
    if (await dryRun.count()) {
      await dryRun.click();
    }
    await dialog().getByLabel("Why").fill("as agreed");
    const typed = dialog().getByLabel(/^Type /);
    if (await typed.count()) {
      const [, name = ""] =
        /^Type (.*) to confirm/.exec(
          (await dialog()
            .getByText(/^Type .* to confirm/)
            .textContent()) ?? "",
        ) ?? [];
      await typed.fill(name);
    }
    await page.keyboard.press("Enter");
    await dialog().getByRole("button", { name: "Close" }).click();
    expect(
      sent(path).map((post) => post.body),
      path,
    ).toEqual([{ ...body, reason: "as agreed" }]);
  }
}, 60_000);

describe("a viewer", () => {
  it("sees everything and is offered nothing", async () => {
    const { full } = ENDPOINTS.find(({ path }) => path === "me") as { full: object };
    server.answer("GET me", { ...full, role: "viewer", name: "night shift" });
    await page.reload();
    await page.getByText("night shift, viewer").waitFor();
    for (const [hash, heading] of [
      ["#/queues/wallet.dlq", "Queue wallet.dlq"],
      ["#/runs/r7", "Run r7"],
      ["#/data", "Data"],
      ["#/reports", "Reports"],
      ["#/rules", "Rules and mappings"],
      ["#/runs", "Runs"],
    ] as const) {
      await goTo(page, hash, heading);
      expect(await page.getByRole("button", { name: "…" }).count(), hash).toBe(0);
    }
    expect(await page.getByRole("link", { name: "Start a run" }).count()).toBe(0);
    await goTo(page, "#/runs/new", "Start a run");
    await page.getByText("Viewers start no runs.").waitFor();
  });
});
