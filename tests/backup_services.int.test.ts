import { afterAll, beforeAll, expect, test } from "vitest";
import { drill } from "../jobs/backup/drill.js";
import { silentLogger } from "../lib/observability/log.js";
import { listDrills } from "../services/console/store/backup.js";
import { BackupFolder } from "./harness/backup_folder.js";
import { dropDatabase, withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { backups, payments as command } from "./harness/process.js";
import { Services } from "./harness/service.js";

/** Payments of each kind, a person erased, an event that nobody has published yet. */
let services: Services;
let folder: BackupFolder;
let id: string;
const paid: Record<"approved" | "refunded" | "declined" | "waiting", string> = {
  approved: "",
  refunded: "",
  declined: "",
  waiting: "",
};
let ada: string;
let replaced: string | undefined;

const pay = async (customer: string, reference: string, amount = "10.00"): Promise<string> => {
  const order = { amount, currency: "USD", method: "credit_card", customer_id: customer, reference };
  return (await services.post("/payments", order)).body.id;
};
const settled = (payment: string, state: string) =>
  eventually(state, async () => (await services.get(`/payments/${payment}`)).body.status === state);

beforeAll(async () => {
  folder = new BackupFolder();
  services = await Services.create({ BACKUP_DIR: folder.path }, "payments", "fraud", "wallet");
  await services.start();
  for (const user of ["ada", "eve"]) {
    const { body } = await services.post("/wallets", { user_id: user, currency: "USD" });
    await services.post(`/wallets/${body.id}/credit`, { amount: "100.00", reference: "in" });
    ada = user === "ada" ? body.id : ada;
  }
  paid.approved = await pay("ada", "one");
  paid.refunded = await pay("ada", "two");
  paid.declined = await pay("ada", "three", "900.00");
  const erased = await pay("eve", "four");
  await settled(paid.approved, "APPROVED");
  await settled(paid.refunded, "APPROVED");
  await settled(paid.declined, "DECLINED");
  await settled(erased, "APPROVED");
  await services.post("/wallets/refund", { payment_id: paid.refunded });
  await settled(paid.refunded, "REFUNDED");
  expect(await command(services.settings, "erase", "eve", "--yes")).toMatchObject({ code: 0 });
  // Or somebody would publish what waits.
  await services.stop();
  await payOut();
  paid.waiting = await enterWaiting();
  const made = await backups(services.settings, "backup");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  id = folder.ids()[0] ?? "";
});
afterAll(async () => {
  await services?.close();
  folder.remove();
  if (replaced !== undefined) {
    await dropDatabase(replaced);
  }
});

/** What POST /payments commits before it publishes. */
async function enterWaiting(): Promise<string> {
  const [row] = await services.owner<{ id: string }>(
    `WITH made AS (
       INSERT INTO saga.payment (payment_id, customer_id, amount, currency, method, trace_id, due_at)
       VALUES (ops.uuid_v7(), 'ada', 1000, 'USD', 'credit_card', gen_random_uuid(), now() + interval '1 hour')
       RETURNING *
     ), stepped AS (
       INSERT INTO saga.step (payment_id, event, message_id, state, awaiting, trace_id)
       SELECT payment_id, 'payments.created', gen_random_uuid(), state, awaiting, trace_id FROM made
     ), entered AS (
       INSERT INTO saga.outbox (message_id, event, headers, body)
       SELECT gen_random_uuid(), 'payments.created', json_build_object('key', payment_id, 'schema-version', 1),
              json_build_object('id', payment_id, 'amount', '10.00', 'currency', currency, 'status', state, 'method', method,
                                'customer_id', customer_id,
                                'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
       FROM made
     )
     SELECT payment_id AS id FROM made`,
  );
  return row?.id ?? "";
}

const MONTHS = ["2025-03", "2025-01", "2025-02"];

/** Pagos of months that were made in no order, after the default: so PostgreSQL numbers the keys to them otherwise at a restore. */
async function payOut(): Promise<void> {
  for (const month of MONTHS) {
    const begins = `timestamptz '${month}-01T00:00:00Z'`;
    const [from, to] = [`ops.uuid_floor(${begins})`, `ops.uuid_floor(${begins} + interval '1 month')`];
    await services.owner(
      `CREATE TABLE payouts.pago_${month.replace("-", "_")} PARTITION OF payouts.pago
       FOR VALUES FROM (${from}) TO (${to})`,
    );
    await services.owner(
      `WITH made AS (
         INSERT INTO payouts.pago (id_pago, id_afiliado, monto, moneda, estado, trace_id, gateway_key, sent_at, gateway_id)
         VALUES (${from}, 'ada', 1000, 'USD', 'EXITOSO', gen_random_uuid(), '${month}', now(), '${month}') RETURNING *
       ) INSERT INTO payouts.paid (id_pago, gateway_id, monto, moneda) SELECT id_pago, gateway_id, monto, moneda FROM made`,
    );
  }
}

/** Keys to payouts' months as a manifest of before named them. */
const numbered = () =>
  services.owner<{ line: string; called: string }>(
    `SELECT 'constraint payouts.paid ' || c.conname || ': ' || pg_get_constraintdef(c.oid, true) AS line,
            'constraint payouts.paid ' || p.conname || ': ' || pg_get_constraintdef(c.oid, true) AS called
     FROM pg_constraint c JOIN pg_constraint p ON p.oid = c.conparentid WHERE c.conrelid = 'payouts.paid'::regclass`,
  );

/** What the record, the metric and the alert, and the console say of the last drill. */
async function lastDrill() {
  const [status] = await services.owner<{ last_drill_ok: number }>(
    "SELECT last_drill_ok FROM ops.backup_status",
  );
  const database = { database: services.settings.POSTGRES_DB };
  const [shown] = await withPool({ role: "admin", ...database }, (pool) => listDrills(pool, 1));
  return { ok: status?.last_drill_ok, state: shown?.state, differences: shown?.differences };
}

test("keys to months are the same whatever PostgreSQL numbers them, also to a manifest that has the numbers", async () => {
  const { objects, others = [] } = folder.manifest(id);
  const keys = await numbered();
  expect(keys.length).toBeGreaterThan(MONTHS.length);
  expect(objects).toEqual(expect.arrayContaining(keys.map(({ called }) => called)));
  expect(others.filter((line) => line.startsWith("constraint payouts."))).toEqual([]);
  const passed = { code: 0, stderr: "", stdout: expect.not.stringContaining("not as it was") };
  expect(await backups(services.settings, "verify")).toMatchObject(passed);
  expect(await lastDrill()).toEqual({ ok: 1, state: "passed", differences: 0 });

  const old = folder.copy(id);
  const names = new Map(keys.map(({ line, called }) => [called, line]));
  old.editManifest(id, (manifest) => {
    const kept = manifest.objects.filter((line) => !names.has(line));
    Object.assign(manifest, { objects: kept, others: [...others, ...names.values()] });
  });
  old.renewSums(id);
  expect(await backups({ ...services.settings, BACKUP_DIR: old.path }, "verify")).toMatchObject(passed);
  old.remove();
});

test("what is not as it was is said by all alike: ours fails the drill, what is not ours is told of one that passed", async () => {
  const copy = folder.copy(id);
  const settings = { ...services.settings, BACKUP_DIR: copy.path };
  copy.editManifest(id, (manifest) => manifest.others?.push("statistics object public.mine"));
  copy.renewSums(id);
  expect(await backups(settings, "verify")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /manifest says, but for 1 of what is not the platform's own;.*\nnot as it was: statistics/,
    ),
  });
  expect(await lastDrill()).toEqual({ ok: 1, state: "passed", differences: 1 });

  const [key] = await numbered();
  copy.editManifest(id, ({ objects }) => objects.push(`${key?.called} ON DELETE CASCADE`));
  copy.renewSums(id);
  expect(await backups(settings, "verify")).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(
      /RESTORE_MISMATCH.*constraint payouts\.paid .* ON DELETE CASCADE: expected there, found missing/,
    ),
  });
  expect(await lastDrill()).toEqual({ ok: 0, state: "failed", differences: 2 });
  copy.remove();
});

test("a drill compares the services' months, outboxes and erasures too, and finds an amount that was changed", async () => {
  expect(await backups(services.settings, "verify")).toMatchObject({ code: 0, stderr: "" });
  const { tables, objects, others = [] } = folder.manifest(id);
  const rowsOf = (name: RegExp) =>
    tables.filter(({ table }) => name.test(table)).reduce((sum, { rows }) => sum + rows, 0);
  expect(rowsOf(/^saga\.payment_/)).toBe(5);
  expect(rowsOf(/^wallet\.movement_/)).toBe(6);
  expect([rowsOf(/^saga\.outbox$/), rowsOf(/^ops\.erasure$/)]).toEqual([1, 1]);
  // A month that lacks after a restore is the platform's own, though no migration names it.
  const month = /^table saga\.payment_\d{4}_\d{2} /;
  expect(objects.filter((line) => month.test(line)).length).toBeGreaterThanOrEqual(3);
  expect(objects.filter((line) => line.startsWith("trigger payment_final on saga.payment"))).toHaveLength(1);
  expect(others.filter((line) => / (saga|wallet)\./.test(line) && !line.startsWith("comment"))).toEqual([]);

  const copy = folder.copy(id);
  copy.editData(copy.dataFile(id, new RegExp(`^${paid.approved}\tada\t`, "m")), (rows) =>
    rows.replace("\t1000\tUSD\t", "\t1001\tUSD\t"),
  );
  copy.renewSums(id);
  const settings = { ...services.settings, BACKUP_DIR: copy.path };
  await expect(drill(settings, silentLogger, { place: "database" })).rejects.toThrow(
    /table saga\.payment_\w+: expected \d rows, digest (\w+), found \d rows, digest (?!\1)/,
  );
  copy.remove();
});

test("a database with something in it is not restored into without --force", async () => {
  expect(await backups(services.settings, "restore")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^payments: RESTORE_REFUSED: database test_\w+ is not empty\. .*--force/),
  });
});

test("a database that is restored in its place serves at once: keys, references and erasures hold, what waited is published", async () => {
  await services.start();
  const later = await pay("ada", "five");
  await settled(later, "APPROVED");
  await settled(paid.waiting, "APPROVED");
  await services.stop();
  const name = services.settings.POSTGRES_DB;
  const restored = await backups(services.settings, "restore", "--force", "--json", `< ${name}\n`);
  expect(restored).toMatchObject({ code: 0 }); // prints what it said
  ({ replaced } = JSON.parse(restored.stdout) as { replaced: string });
  await services.start();
  const of = async (payment: string) => (await services.get(`/payments/${payment}`)).body;
  expect(await of(paid.approved)).toMatchObject({ status: "APPROVED", amount: "10.00" });
  expect(await of(paid.refunded)).toMatchObject({ status: "REFUNDED", refunded: "10.00" });
  expect(await of(paid.declined)).toMatchObject({ status: "DECLINED", reason: "insufficient_funds" });
  expect((await services.get(`/payments/${later}`)).status).toBe(404);
  expect((await services.get("/wallets?user_id=eve")).body.wallets).toEqual([]);
  // By its outbox: it is not due to be sent again for an hour.
  await settled(paid.waiting, "APPROVED");
  expect(await pay("ada", "one")).toBe(paid.approved);
  await settled(await pay("ada", "five"), "APPROVED");
  await eventually("the books agree", async () => (await services.audit()).length === 0);
  expect((await services.get(`/wallets/${ada}`)).body.balance).toBe("70.00");
  expect(await command(services.settings, "migrate", "verify")).toMatchObject({ code: 0 });
});
