import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { payments } from "./harness/process.js";
import { Services } from "./harness/service.js";

/** All that seeding tells apart is among the first 1,100; wallets for 100,000, and audits of them, took most of the time. */
const CUSTOMERS = 2_000;

/** Customers with wallets, and all that a payment needs. */
let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "payments", "fraud", "wallet");
  await services.owner("DELETE FROM payments.account WHERE account_id > $1", [CUSTOMERS]);
  await services.start();
});
afterAll(() => services.close());

const command = (...args: string[]) => payments(services.settings, ...args);
const traffic = (...args: string[]) =>
  command("traffic", "--url", services.url, "--rate", "500", "--customers", `${CUSTOMERS}`, ...args);

/** With nothing in flight. @returns exit status and differences. */
async function audit(id: number) {
  const { code, stdout } = await command("audit", "--quiesced", "--json", "--traffic", String(id));
  return { code, differences: JSON.parse(stdout).differences as Record<string, string>[] };
}

test("customers without wallets are told from a target that is away", async () => {
  const unseeded = await traffic("--seconds", "1");
  expect([unseeded.code, unseeded.stderr]).toEqual([
    1,
    expect.stringMatching(/TARGET_UNPREPARED.*wallets seed/),
  ]);
  const away = await command("traffic", "--url", `http://127.0.0.1:${await freePort()}`);
  expect([away.code, away.stderr]).toEqual([1, expect.stringMatching(/TARGET_UNREACHABLE.*ECONNREFUSED/)]);
  const { code, differences } = await audit(1);
  expect(code).toBe(3);
  expect(differences).toEqual([
    {
      module: "traffic, payments",
      what: "traffic 1",
      expected: expect.any(String),
      found: expect.any(String),
    },
  ]);
});

const allSettled = () =>
  eventually(
    "all settled",
    async () => (await services.owner("SELECT FROM saga.payment WHERE state = 'PENDING'")).length === 0,
    { withinMs: 90_000 },
  );

test("what comes of generated payments is what the answer key says, and a payment changed by hand is named", async () => {
  expect((await command("wallets", "seed")).code).toBe(0);
  const shares = ["--fraud-share", "0.05", "--insufficient-share", "0.1", "--hot-share", "0.2"];
  const { code, stdout } = await traffic("--seconds", "1", "--json", ...shares);
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ sent: 500, created: 500, refused: 0, unknown: 0, failures: {} });
  await allSettled();
  expect(await audit(result.traffic)).toEqual({ code: 0, differences: [] });
  // All verdicts are among them, or that proves little.
  const verdicts = await services.owner<{ verdict: string }>(
    "SELECT DISTINCT coalesce(reason, state) AS verdict FROM saga.payment ORDER BY 1",
  );
  expect(verdicts.map(({ verdict }) => verdict)).toEqual([
    "APPROVED",
    "fraud_detected",
    "insufficient_funds",
  ]);

  const [changed] = await services.owner<{ reference: string }>(
    `UPDATE traffic.payment SET amount = amount + 1
     WHERE reference = (SELECT min(reference) FROM traffic.payment WHERE expected = 'approved') RETURNING reference`,
  );
  const [missing] = await services.owner<{ reference: string }>(
    `INSERT INTO traffic.payment SELECT traffic_id, 'never asked', customer_id, currency, amount, expected, answer
     FROM traffic.payment WHERE reference = '${changed?.reference}' RETURNING reference`,
  );
  const [declined] = await services.owner<{ reference: string }>(
    `UPDATE traffic.payment SET expected = 'approved'
     WHERE reference = (SELECT min(reference) FROM traffic.payment WHERE expected = 'fraud_detected') RETURNING reference`,
  );
  const { code: after, differences } = await audit(result.traffic);
  expect(after).toBe(3);
  expect(differences.map(({ what }) => what?.replace(/^payment (.*) of .*$/, "$1")).sort()).toEqual(
    [changed, missing, declined].map((row) => row?.reference).sort(),
  );
});

test("the same seed asks for the same, and other runs leave an answer key alone", async () => {
  const run = async () =>
    JSON.parse((await traffic("--seconds", "1", "--seed", "9", "--json")).stdout).traffic as number;
  const [one, other] = [await run(), await run()];
  const asked = (id: number) =>
    services.owner(
      `SELECT split_part(reference, ':', 3) AS n, customer_id, currency, amount, expected
       FROM traffic.payment WHERE traffic_id = ${id} ORDER BY 1`,
    );
  expect(await asked(other)).toEqual(await asked(one));
  await allSettled();
  expect((await audit(one)).code).toBe(0);
});
