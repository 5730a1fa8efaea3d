import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { Services } from "../../tests/harness/service.js";
import { collectorEvtClick, collectorEvtConversion } from "../contracts/collector_evt.js";

let services: Services;
let letters: ServiceLetters;
beforeAll(async () => {
  services = await Services.create({}, "campaigns");
  await services.start();
  letters = new ServiceLetters(services.settings, "campaign-service", "campaigns.dlq");
});
afterAll(() => services?.close());

const seen = (campaign_id: string) => ({
  source: "acme",
  event_id: randomUUID(),
  campaign_id,
  occurred_at: new Date().toISOString(),
});
const converted = (campaign_id: string, spend: string) => ({
  ...seen(campaign_id),
  id_afiliado: "afiliado-1",
  spend,
  commission: "0.10",
  moneda: "USD" as const,
});
const metricsOf = async (id: string) => (await services.get(`/campaigns/${id}/metrics`)).body;

test("a dry run tells what each letter would come to, and the replay does that", async () => {
  const { body } = await services.post("/campaigns", { name: "Autumn", budget: "10.00", currency: "USD" });
  await services.request("PATCH", `/campaigns/${body.id}/activate`);
  const [decided, counted] = [converted(body.id, "4.00"), seen(body.id)];
  await services.publish(collectorEvtConversion, [decided]);
  await services.publish(collectorEvtClick, [counted]);
  await eventually("taken", async () => {
    const { clicks, spend } = await metricsOf(body.id);
    return clicks === 1 && spend === "4.00";
  });
  const conversion = (asked: ReturnType<typeof converted>) => letters.bury(collectorEvtConversion, asked);
  const click = (asked: ReturnType<typeof seen>) => letters.bury(collectorEvtClick, asked);
  const again = await conversion(decided);
  const other = await conversion({ ...decided, spend: "4.01" });
  const last = await conversion(converted(body.id, "6.00"));
  const over = await conversion(converted(body.id, "1.00"));
  const nowhere = await conversion(converted(newId(), "1.00"));
  const known = await click(counted);
  const twin = seen(body.id);
  const [first, second] = [await click(twin), await click(twin)];
  const lost = await click(seen(newId()));

  const notFound = [expect.stringMatching(/^would fail: CAMPAIGN_NOT_FOUND: /)];
  expect(await letters.forecasts()).toEqual({
    [again]: ["already applied: spent"],
    [other]: ["illegal: another amount than decided"],
    [last]: ["would apply: spent"],
    [over]: ["would apply: over_budget"],
    [nowhere]: notFound,
    [known]: ["already applied: "],
    [first]: ["would apply: counted"],
    [second]: ["already applied: "],
    [lost]: notFound,
  });
  // Nothing was done by that.
  expect(await metricsOf(body.id)).toMatchObject({ clicks: 1, conversions: 1, spend: "4.00" });

  for (const id of [nowhere, lost]) {
    await letters.dlq("purge", id, "--yes");
  }
  expect(await letters.dlq("replay", "--all")).toMatchObject({ done: 7 });
  await eventually("all are taken", async () => {
    const [{ n } = { n: 0n }] = await services.owner<{ n: bigint }>(
      "SELECT count(*) AS n FROM campaigns.illegal_transition",
    );
    const { clicks, spend } = await metricsOf(body.id);
    return clicks === 2 && spend === "10.00" && Number(n) === 1;
  });
  expect(await letters.list()).toEqual([]);
});
