import { expect, test } from "vitest";
import { MODULES } from "../../app/modules.js";
import { silentLogger } from "../../lib/observability/log.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import { collectorEvtConversion } from "../contracts/collector_evt.js";
import { paymentsEvtCompleted } from "../contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";
import { deliverySweeper } from "./sweeper.js";

const FAMILIES = MODULES.flatMap(({ queues }) => queues);

/** Destinations that are told again while the queues of an event hold so many messages. */
function toldWhile(event: string, waiting: number): Promise<unknown> {
  const full = new Set(FAMILIES.filter((family) => family.event === event).map(({ work }) => work));
  expect(full.size).toBeGreaterThan(0);
  return new Promise((resolve) => {
    const query = async ({
      name,
      values,
    }: {
      readonly name: string;
      readonly values?: readonly unknown[];
    }) => {
      if (name === "collector_take_overdue") {
        resolve(values?.[0]);
        void sweeper.stop?.();
      }
      return { rowCount: name === "collector_any_overdue" ? 1 : 0, rows: [] };
    };
    const publisher = {
      isUp: true,
      messagesIn: async (queue: string) => (full.has(queue) ? waiting : 0),
      publishAll: async () => undefined,
    };
    const parts = { pool: { query }, publisher, logger: silentLogger } as unknown as Parts;
    const sweeper = deliverySweeper({ ...parts, families: FAMILIES, resendAfterS: 60 });
    void sweeper.start?.();
  });
}
type Parts = Pick<Parameters<typeof deliverySweeper>[0], "pool" | "publisher" | "logger">;

test.each([
  [collectorEvtConversion.name, ["payouts"]],
  [campaignsSpendDecided.name, ["payouts"]],
  [payoutsPayoutRequested.name, ["campaigns"]],
  // For others too, who may be slow.
  [paymentsEvtCompleted.name, ["campaigns", "payouts"]],
])("while over a thousand %s wait, only %j are told again", async (event, told) => {
  expect(await toldWhile(event, 1_000)).toEqual(["campaigns", "payouts"]);
  expect(await toldWhile(event, 1_001)).toEqual(told);
});
