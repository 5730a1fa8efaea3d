import { setTimeout as sleep } from "node:timers/promises";
import { MODULES } from "../../app/modules.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { silentLogger } from "../../lib/observability/log.js";
import { collectorEvtConversion } from "../../services/contracts/collector_evt.js";
import type { Stack } from "../stack.js";

const SOURCE = "bench";
export const CONVERSIONS_PER_S = 40;
const EVERY_MS = 250;

/**
 * Conversions of 1.00 each, spread over campaigns, from now until `over` fires; each is published twice.
 *
 * @returns how many different ones
 */
export async function publishConversions(
  stack: Stack,
  campaignIds: readonly string[],
  over: AbortSignal,
): Promise<number> {
  const publisher = new Publisher({
    address: stack.settings,
    name: "payments-bench",
    logger: silentLogger,
    connectPolicy: "once",
    families: MODULES.flatMap(({ queues }) => queues),
  });
  await publisher.up();
  let made = 0;
  try {
    while (!over.aborted && !stack.signal.aborted) {
      const messages = Array.from({ length: (CONVERSIONS_PER_S * EVERY_MS) / 1_000 }, () => {
        const place = made;
        made += 1;
        const body = {
          source: SOURCE,
          event_id: `conversion-${place}`,
          campaign_id: campaignIds[place % campaignIds.length] as string,
          id_afiliado: "afiliado-1",
          occurred_at: new Date().toISOString(),
          spend: "1.00",
          commission: "0.10",
          moneda: "USD" as const,
        };
        return eventMessage(collectorEvtConversion, body, { messageId: newId() });
      });
      await publisher.publishAll([...messages, ...messages]);
      await sleep(EVERY_MS);
    }
  } finally {
    await publisher.close();
  }
  return made;
}
