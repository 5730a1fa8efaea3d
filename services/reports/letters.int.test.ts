import { afterAll, beforeAll, expect, test } from "vitest";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { archived, ended, pago } from "../../tests/harness/reports.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsEvtCompleted, paymentsEvtPending } from "../contracts/payments_evt.js";

let services: Services;
let letters: ServiceLetters;
beforeAll(async () => {
  services = await Services.create({}, "reports");
  await services.start();
  letters = new ServiceLetters(services.settings, "report-service", "reports.dlq");
});
afterAll(() => services?.close());

test("a dry run tells what each letter would come to, and archives nothing", async () => {
  const [known, fresh] = [pago({}), pago({})];
  await services.publish(paymentsEvtPending, [known]);
  await archived(services, 1);
  const [first, twin, rival, again, other, fractional] = [
    await letters.bury(paymentsEvtPending, fresh),
    await letters.bury(paymentsEvtPending, fresh),
    await letters.bury(paymentsEvtPending, { ...fresh, monto: "11.00" }),
    await letters.bury(paymentsEvtPending, known),
    await letters.bury(paymentsEvtPending, { ...known, monto: "11.00" }),
    await letters.bury(paymentsEvtPending, { ...pago({}), monto: "1.001" }),
  ];
  const end = await letters.bury(paymentsEvtCompleted, ended(known, "EXITOSO"));

  const contradicts = ["illegal: the version was told before with other words"];
  expect(await letters.forecasts()).toEqual({
    [first]: ["would apply: "],
    [twin]: ["already applied: "],
    [rival]: contradicts,
    [again]: ["already applied: "],
    [other]: contradicts,
    [fractional]: [expect.stringMatching(/^would fail: AMOUNT_INVALID: /)],
    [end]: ["would apply: "],
  });
  await archived(services, 1);

  expect(await letters.dlq("replay", "--all")).toMatchObject({ done: 7 });
  await archived(services, 3);
});
