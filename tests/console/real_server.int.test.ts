import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { walletDebitRequested } from "../../services/contracts/wallet_debit_requested.js";
import { withPool } from "../harness/database.js";
import { eventually } from "../harness/eventually.js";
import { LEARNED_RULE } from "../harness/learned_rule.js";
import { ServiceLetters } from "../harness/letters.js";
import { Services } from "../harness/service.js";
import { type Console, goTo, launch, openConsole } from "./browser.js";

/** Every action of the console, done by hand in a browser on the platform itself: migrated, its services and servers up. */
const OPERATOR = "act on payments";
const VIEWER = "look at payments";
const LAYOUTS = ["00000000000000aa", "00000000000000bb"] as const;

let services: Services;
let browser: Browser;
let shown: Console[] = [];
beforeAll(async () => {
  services = await Services.create({
    ...{ CONSOLE_POLL_MS: "200", CONSOLE_PASSWORD: OPERATOR, CONSOLE_VIEWER_PASSWORD: VIEWER },
  });
  await services.start();
  browser = await launch();
}, 120_000);
afterEach(async () => {
  const wrong = shown.flatMap((each) => each.wrong);
  await Promise.all(shown.map(({ page }) => page.context().close()));
  shown = [];
  expect(wrong).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await services?.close();
});

async function signIn(name: string, password: string): Promise<Page> {
  const console = await openConsole(browser, { origin: services.url });
  shown.push(console);
  await console.page.getByLabel("Your name").fill(name);
  await console.page.getByLabel("Password").fill(password);
  await console.page.keyboard.press("Enter");
  await console.page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  return console.page;
}

const dialogOf = (page: Page) => page.getByRole("dialog");

interface Asked {
  /** On the button of the page, without its dots. */
  readonly button: string;
  /** On the dialog's button. Default: as on the page's. */
  readonly verb?: string;
  /** What the dialog says it is done to, and to how much. */
  readonly subject: string;
  readonly count: string;
  /** What the dry run must say. */
  readonly dryRun?: string;
}

/** Opens the dialog and answers all that it asks; the reason is new, so that the audit's row is found by it. */
async function prepare(page: Page, asked: Asked): Promise<string> {
  const dialog = dialogOf(page);
  await page
    .getByRole("button", { name: `${asked.button} …`, exact: true })
    .first()
    .click();
  await dialog.getByText(asked.subject, { exact: true }).first().waitFor();
  if (asked.dryRun !== undefined) {
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText(asked.dryRun).first().waitFor();
  }
  await dialog.getByText(asked.count).first().waitFor();
  const reason = `as agreed ${newId()}`;
  await dialog.getByLabel("Why").fill(reason);
  const name = dialog.getByLabel(`Type ${asked.subject} to confirm`);
  if ((await name.count()) > 0) {
    await name.fill(asked.subject);
  }
  return reason;
}

/** Both clicks come before the page can draw the button as disabled. */
const clickTwice = (page: Page, verb: string) =>
  dialogOf(page)
    .getByRole("button", { name: verb, exact: true })
    .evaluate((button: HTMLButtonElement) => {
      button.click();
      button.click();
    });

interface AuditRow {
  readonly kind: string;
  readonly subject: string;
  readonly who: string;
  readonly state: string;
}
const rowsOf = (reason: string) =>
  services.owner<AuditRow>("SELECT kind, subject, who, state FROM console.action WHERE why = $1", [reason]);

/** Does it by a double click: one row is left that says who, what and how it ended, and the dialog shows the same. */
async function carryOut(page: Page, asked: Asked, row: Omit<AuditRow, "who">): Promise<void> {
  const reason = await prepare(page, asked);
  await clickTwice(page, asked.verb ?? asked.button);
  await dialogOf(page).getByText(row.state).first().waitFor({ timeout: 30_000 });
  await dialogOf(page).getByRole("button", { name: "Close" }).click();
  expect(await rowsOf(reason)).toEqual([{ ...row, who: "Ana" }]);
  await goTo(page, "#/actions", "Actions");
  await page.getByText(reason).first().waitFor();
}

async function startRun(page: Page, months: readonly [from: string, to: string]): Promise<void> {
  await goTo(page, "#/runs/new", "Start a run");
  await page.getByLabel("Rows in all months").fill("2,000");
  await page.getByLabel("From").fill(months[0]);
  await page.getByLabel("Until").fill(months[1]);
  await page.getByLabel("Rows a chunk").fill("1000");
  await page.keyboard.press("Enter");
  await page.getByText("What it will make").waitFor();
  const start = { button: "Start the run", subject: "new run", count: "2,000 rows in 1 month" };
  await carryOut(page, start, { kind: "run.start", subject: "new", state: "done" });
}

test("runs are started, resumed, cancelled, verified, and a month healed", async () => {
  const page = await signIn("Ana", OPERATOR);
  await startRun(page, ["2025-01-01", "2025-02-01"]);
  await goTo(page, "#/runs/r1", "Run r1");
  const r1 = { subject: "r1", count: "2,000 rows" };
  const resumed = { kind: "run.resume", subject: "r1", state: "done" };
  await carryOut(page, { ...r1, button: "Resume" }, resumed);
  await goTo(page, "#/runs/r1", "Run r1");
  const cancelled = { kind: "run.cancel", subject: "r1", state: "done" };
  await carryOut(page, { ...r1, button: "Cancel the run" }, cancelled);
  await startRun(page, ["2025-01-01", "2025-02-01"]);
  const worker = await services.platform.startWorker();
  await services.platform.done("r2");
  await services.platform.stopWorker(worker);
  await goTo(page, "#/runs/r2", "Run r2");
  const r2 = { button: "Verify", subject: "r2", count: "2,000 rows, 1 month" };
  await carryOut(page, r2, { kind: "run.verify", subject: "r2", state: "done" });
  await goTo(page, "#/data", "Data");
  const heal = { button: "Heal", subject: "2025-01", count: "of 1 run" };
  await carryOut(page, heal, { kind: "month.heal", subject: "2025-01", state: "done" });
});

test("a second tab is told who is at it, and a viewer is offered nothing and refused", async () => {
  const [page, other, viewer] = [
    await signIn("Ana", OPERATOR),
    await signIn("Eve", OPERATOR),
    await signIn("Vera", VIEWER),
  ];
  const heal = { button: "Heal", subject: "2025-01", count: "of 1 run" };
  await Promise.all([page, other, viewer].map((each) => goTo(each, "#/data", "Data")));
  const [first, second] = [await prepare(page, heal), await prepare(other, heal)];
  await withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (admin) => {
    await admin.query("SET ROLE payments_owner");
    await admin.query("BEGIN");
    await admin.query("LOCK TABLE payments.txn_2025_01 IN ACCESS EXCLUSIVE MODE");
    await clickTwice(page, "Heal");
    await eventually("begun", async () => (await rowsOf(first)).length === 1);
    await clickTwice(other, "Heal");
    await dialogOf(other).getByText("Ana does month.heal to 2025-01").waitFor();
    await dialogOf(other).getByText("CONSOLE_ACTION_RUNNING").waitFor();
    await admin.query("ROLLBACK");
  });
  expect(await rowsOf(second)).toEqual([]);
  await dialogOf(page).getByRole("button", { name: "Close" }).waitFor();
  await eventually("ended", async () => (await rowsOf(first))[0]?.state === "done");
  expect(await viewer.getByRole("button", { name: "…" }).count()).toBe(0);
  const refused = await viewer.evaluate(async () => {
    const headers = { "content-type": "application/json", "idempotency-key": "as-a-viewer-1" };
    const body = JSON.stringify({ reason: "as agreed" });
    const answer = await fetch("/console/api/months/2025-01/heal", { method: "POST", headers, body });
    return [answer.status, ((await answer.json()) as { code: string }).code];
  });
  expect(refused).toEqual([403, "CONSOLE_READ_ONLY"]);
  expect(await rowsOf("as agreed")).toEqual([]);
});

test("dead letters are replayed and abandoned, after a dry run", async () => {
  const letters = new ServiceLetters(services.settings, "wallet-service", "wallet.dlq");
  const ask = { payment_id: newId(), user_id: "nobody", amount: "1.00", currency: "USD" };
  const id = await letters.bury(walletDebitRequested, ask);
  await letters.put(Buffer.from("no JSON"), { messageId: newId() });
  await letters.put(Buffer.from("none either"), { messageId: newId() });
  const page = await signIn("Ana", OPERATOR);
  await goTo(page, `#/queues/wallet.dlq/letters/${id}`, `Dead letter ${id}`);
  const replay = { button: "Replay", subject: "wallet.dlq", count: "1", dryRun: "would apply" };
  await carryOut(page, replay, { kind: "letters.replay", subject: "wallet.dlq", state: "done" });
  await letters.gather(2);
  await goTo(page, "#/queues/wallet.dlq", "Queue wallet.dlq");
  const all = { verb: "Abandon", subject: "wallet.dlq", count: "2", dryRun: "of 2 letters in the queue" };
  const abandoned = { kind: "letters.abandon", subject: "wallet.dlq", state: "done" };
  await carryOut(page, { ...all, button: "Abandon all" }, abandoned);
  await letters.gather(0);
});

test("mappings are accepted and rejected", async () => {
  const { mapping, paths, family } = LEARNED_RULE;
  for (const layout of LAYOUTS) {
    await services.owner(
      `INSERT INTO ingest.mapping (id, family, shape, layout, mapping, paths, state, votes, confirmations)
       VALUES (ops.uuid_v7(), $1, $2, $3, $4, $5, 'candidate', 2, 2)`,
      [`${family} ${layout}`, newId(), layout, JSON.stringify(mapping), JSON.stringify(paths)],
    );
  }
  const page = await signIn("Ana", OPERATOR);
  for (const [button, kind, state] of [
    ["Accept", "mapping.accept", "promoted"],
    ["Reject", "mapping.reject", "rejected"],
  ] as const) {
    await goTo(page, "#/rules", "Rules and mappings");
    const card = page.getByRole("article").first();
    const rule = (await card.getByRole("heading").textContent()) ?? "";
    const [{ id = "" } = {}] = await services.owner<{ id: string }>(
      "SELECT id FROM ingest.mapping WHERE layout = $1",
      [rule.replace("learned/", "")],
    );
    const asked = { button, subject: rule, count: "1 mapping, 2 events agree with it" };
    await carryOut(page, asked, { kind, subject: id, state: "done" });
    expect(await services.owner("SELECT state FROM ingest.mapping WHERE id = $1", [id])).toEqual([{ state }]);
  }
});

test("the reports are switched, by a dialog that saw what is served now", async () => {
  const [page, other] = [await signIn("Ana", OPERATOR), await signIn("Eve", OPERATOR)];
  await Promise.all([page, other].map((each) => goTo(each, "#/reports", "Reports")));
  const button =
    (await page.getByRole("button", { name: /^Switch to/ }).textContent())?.replace(" …", "") ?? "";
  const version = button.replace("Switch to ", "");
  const asked = { button, subject: version, count: "1 report, for all who read it" };
  const late = await prepare(other, asked);
  await carryOut(page, asked, { kind: "reports.switch", subject: version, state: "done" });
  await clickTwice(other, button);
  await dialogOf(other).getByText("REPORT_EPOCH_STALE").waitFor();
  expect(await rowsOf(late)).toMatchObject([{ who: "Eve", state: "failed" }]);
});
