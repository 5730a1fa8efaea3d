import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { addressOf, withSession } from "../jobs/backup/address.js";
import { queueNames } from "../lib/broker/topology.js";
import { migrateUp } from "../lib/postgres/migrate.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { walletDebitRequested } from "../services/contracts/wallet_debit_requested.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { depth, drain } from "./harness/broker.js";
import { Cluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { backups, payments as command } from "./harness/process.js";
import { Services } from "./harness/service.js";
import { testSettings } from "./harness/settings.js";

const EVENT_QUEUES = new Set(
  MODULES.flatMap(({ queues }) => queues)
    .filter(({ event }) => event !== undefined)
    .flatMap(queueNames),
);
const queueOf = (event: string, module: string) => {
  const owner = MODULES.find(({ name }) => name === module);
  return owner?.queues.find((family) => family.event === event)?.work ?? "";
};
const ANSWERS = queueOf("wallet.response", "payments");
const REFUNDS = queueOf("wallet.refunded", "payments");
const DEBITS = queueOf("wallet.debit.requested", "wallet");

let cluster: Cluster;
let platform: Platform;
/** Each by itself, so that the test decides who has seen what at the moment that is restored. */
let payments: Services;
let fraud: Services;
let wallet: Services;
const folder = new BackupFolder();
const database = freshName();
beforeAll(async () => {
  cluster = await Cluster.create();
});
afterAll(async () => {
  await Promise.all([payments?.leave(), fraud?.leave(), wallet?.leave()]);
  await platform?.close();
  cluster.remove();
  folder.remove();
});

const settings = () =>
  testSettings({ ...cluster.settings({ BACKUP_DIR: folder.path }), POSTGRES_DB: database });

const pay = async (customer: string): Promise<string> => {
  const order = { amount: "10.00", currency: "USD", method: "credit_card", customer_id: customer };
  const { status, body } = await payments.post("/payments", order);
  expect(status).toBe(201);
  return body.id;
};
const status = async (id: string) => (await payments.get(`/payments/${id}`)).body.status;
const approved = (...ids: string[]) =>
  eventually("approved", async () => (await Promise.all(ids.map(status))).every((is) => is === "APPROVED"));
const awaitDebit = (...ids: string[]) =>
  eventually("checked", async () => {
    const all = await Promise.all(ids.map((id) => payments.get(`/payments/${id}/timeline`)));
    return all.every(({ body }) => body.steps.at(-1)?.awaiting === "debit");
  });
const askDebit = (id: string, user: string) =>
  wallet.publish(walletDebitRequested, [
    { payment_id: id, user_id: user, amount: "10.00", currency: "USD", reason: "payment_processing" },
  ]);
const rows = <Row>(sql: string, values: unknown[] = []): Promise<Row[]> =>
  withPool(platform.settings, { role: "admin" }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    return (await pool.query(sql, values)).rows as Row[];
  });
const decided = (...ids: string[]) =>
  eventually("the wallet has decided", async () => {
    const found = await rows("SELECT FROM wallet.decision WHERE payment_id = ANY ($1::uuid[])", [ids]);
    return found.length === ids.length;
  });
async function openWallet(user: string): Promise<string> {
  return (await wallet.post("/wallets", { user_id: user, currency: "USD" })).body.id;
}
const balance = async (id: string): Promise<string> => (await wallet.get(`/wallets/${id}`)).body.balance;

test("payments in flight, the database restored to an earlier time, the broker ahead: orphans are refunded, nothing is taken or given on trust, the books agree", async () => {
  const { before, wallets, paid } = await cluster.up(async () => {
    await cluster.provision(database);
    await withSession(addressOf(settings(), "admin"), (pool) => migrateUp(pool, MODULES));
    platform = await Platform.on(database, { ...cluster.settings(), PAYMENTS_RESEND_AFTER_S: "1" });
    payments = await Services.on(platform, "payments");
    fraud = await Services.on(platform, "fraud");
    wallet = await Services.on(platform, "wallet");
    await Promise.all([payments.start(), fraud.start(), wallet.start()]);
    const ada = await openWallet("ada");
    const bob = await openWallet("bob");
    await wallet.post(`/wallets/${ada}/credit`, { amount: "100.00", reference: "in" });
    const [kept, back] = [await pay("ada"), await pay("ada")];
    await approved(kept, back);
    expect(await backups(settings(), "backup", "--base")).toMatchObject({ code: 0, stderr: "" });

    // Payments has not seen the wallet's answer, or will have forgotten that it did.
    await wallet.stop();
    const answered = await pay("ada");
    await awaitDebit(answered);
    await payments.stop();
    await wallet.start();
    await decided(answered);
    await wallet.stop();
    await drain(platform.settings, ANSWERS);
    // The wallet knows nothing of these.
    await payments.start();
    const [known, poor] = [await pay("ada"), await pay("bob")];
    await awaitDebit(known, poor);
    // Milliseconds of a Date are cut off; what is done is to be before them.
    await sleep(5);
    const moment = await cluster.superuser<Date>("SELECT clock_timestamp()", database);
    await sleep(5);

    // All that follows will not have happened: all of them are approved, and he who was poor had money then.
    const [unanswered, undebited, settled] = [await pay("ada"), await pay("ada"), await pay("ada")];
    await awaitDebit(unanswered, undebited, settled);
    await payments.stop();
    await drain(platform.settings, DEBITS);
    await wallet.start();
    await wallet.post(`/wallets/${bob}/credit`, { amount: "50.00", reference: "in" });
    await payments.start();
    await approved(answered, known, poor, unanswered, undebited, settled);
    await Promise.all([payments.stop(), fraud.stop(), wallet.stop()]);
    await drain(platform.settings, DEBITS); // asked again, where the wallet took long
    await drain(platform.settings, ANSWERS);
    await wallet.start();
    // What the broker is left with: answers, a refund, a command.
    await wallet.post("/wallets/refund", { payment_id: back, amount: "4.00", refund_id: "a part" });
    const told: [id: string, user: string][] = [
      [answered, "ada"],
      [known, "ada"],
      [poor, "bob"],
      [unanswered, "ada"],
    ];
    for (const [id, user] of told) {
      await askDebit(id, user);
    }
    await eventually("answers wait", async () => (await depth(platform.settings, ANSWERS)) === told.length);
    await eventually("a refund waits", async () => (await depth(platform.settings, REFUNDS)) === 1);
    await wallet.stop();
    await drain(platform.settings, DEBITS);
    await askDebit(undebited, "ada");
    const last = await cluster.superuser<string>("SELECT pg_walfile_name(pg_switch_wal())", database);
    await eventually("the log archived", () => existsSync(join(cluster.wal, `${last}.gz`)));
    return {
      before: moment,
      wallets: { ada, bob },
      paid: { kept, back, answered, known, poor, unanswered, undebited, settled },
    };
  });

  const data = join(cluster.folder, "restored");
  const restored = await backups(settings(), "restore", "--to-time", before.toISOString(), "--data", data);
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  await cluster.up(async () => {
    await Promise.all([payments.start(), fraud.start(), wallet.start()]);
    const agree = async () => (await command(platform.settings, "audit", "--quiesced")).code === 0;
    await eventually(
      "the books agree, and nothing is under way that could change them",
      async () => (await quiet()) && (await agree()) && (await quiet()),
      { withinMs: 60_000, everyMs: 500 },
    );
    const of = async (id: string) => (await payments.get(`/payments/${id}`)).body;
    for (const id of [paid.kept, paid.back, paid.answered, paid.known]) {
      expect(await of(id)).toMatchObject({ status: "APPROVED", refunded: "0.00" });
    }
    // He had the money in a time that is gone: an answer that was true then is not taken for one now.
    expect(await of(paid.poor)).toMatchObject({ status: "DECLINED", reason: "insufficient_funds" });
    for (const id of [paid.unanswered, paid.undebited, paid.settled]) {
      expect((await payments.get(`/payments/${id}`)).status).toBe(404);
    }
    const orphans = `SELECT payment_id AS id, outcome, coalesce(d.amount, 0)::integer AS taken, d.refunded::integer AS given
                     FROM saga.orphan o LEFT JOIN wallet.decision d USING (payment_id) ORDER BY payment_id`;
    expect(await rows(orphans)).toEqual([
      // The wallet has forgotten it too: nothing is given back, and a debit that comes late takes nothing.
      { id: paid.unanswered, outcome: "cancelled", taken: 0, given: 0 },
      { id: paid.undebited, outcome: "approved", taken: 1_000, given: 1_000 },
    ]);
    expect([await balance(wallets.ada), await balance(wallets.bob)]).toEqual(["60.00", "0.00"]);
    expect(
      await rows("SELECT DISTINCT reason FROM saga.illegal_transition WHERE reason LIKE 'told%'"),
    ).toEqual([{ reason: "told on another timeline of the database" }]);
    expect(await command(platform.settings, "audit", "--quiesced", "--json")).toMatchObject({ code: 0 });
    await Promise.all([payments.stop(), fraud.stop(), wallet.stop()]);
  }, data);
});

/** No event waits, on no rung, and none is a dead letter. */
async function quiet(): Promise<boolean> {
  const waiting = await Promise.all([...EVENT_QUEUES].map((name) => depth(platform.settings, name)));
  return waiting.every((messages) => messages === 0);
}
