import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { Services } from "../../tests/harness/service.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";

let services: Services;
let letters: ServiceLetters;
beforeAll(async () => {
  services = await Services.create({}, "payouts");
  await services.start();
  letters = new ServiceLetters(services.settings, "payout-service", "payouts.dlq");
});
afterAll(() => services?.close());

const ask = (monto: string, referencia_pago: string = newId()) => ({
  id_afiliado: "ana",
  monto,
  moneda: "USD" as const,
  referencia_pago,
});
const counts = async () => {
  const [row] = await services.owner<{ pagos: bigint; illegal: bigint }>(
    `SELECT (SELECT count(*) FROM payouts.pago) AS pagos,
            (SELECT count(*) FROM payouts.illegal_transition) AS illegal`,
  );
  return [Number(row?.pagos), Number(row?.illegal)];
};

test("a dry run tells what each letter would come to, and the replay does that", async () => {
  const known = newId();
  await services.publish(payoutsPayoutRequested, [ask("5.00", known)]);
  await eventually("entered", async () => (await counts()).join() === "1,0");
  const bury = (...asked: Parameters<typeof ask>) => letters.bury(payoutsPayoutRequested, ask(...asked));
  const fresh = newId();
  const [first, twin, rival] = [
    await bury("1.00", fresh),
    await bury("1.00", fresh),
    await bury("2.00", fresh),
  ];
  const [again, other] = [await bury("5.00", known), await bury("5.01", known)];
  const fractional = await bury("1.001");

  const different = ["illegal: another Pago under the same referencia_pago"];
  expect(await letters.forecasts()).toEqual({
    [first]: ["would apply: a new Pago"],
    [twin]: ["already applied: "],
    [rival]: different,
    [again]: ["already applied: "],
    [other]: different,
    [fractional]: [expect.stringMatching(/^would fail: AMOUNT_INVALID: /)],
  });
  // Nothing was done by that.
  expect(await counts()).toEqual([1, 0]);

  expect(await letters.dlq("replay", "--all")).toMatchObject({ done: 6 });
  await eventually("all are taken", async () => (await counts()).join() === "2,2");
  await letters.gather(1);
  expect((await letters.list()).map(({ id }) => id)).toEqual([fractional]);
});
