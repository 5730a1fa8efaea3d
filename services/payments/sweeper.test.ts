import { expect, test } from "vitest";
import { MODULES } from "../../app/modules.js";
import { silentLogger } from "../../lib/observability/log.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { paymentsCreated } from "../contracts/payments_created.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";
import { paymentSweeper } from "./sweeper.js";

const FAMILIES = MODULES.flatMap(({ queues }) => queues);

/** What is sent again while the queues of an event hold so many messages. What is over is given up in any case: the statement's part. */
function sentWhile(event: string, waiting: number): Promise<unknown> {
  const full = new Set(FAMILIES.filter((family) => family.event === event).map(({ work }) => work));
  expect(full.size).toBeGreaterThan(0);
  return new Promise((resolve) => {
    const query = async (asked: string | { readonly name: string; readonly values?: readonly unknown[] }) => {
      const { name, values } = typeof asked === "string" ? { name: asked } : asked;
      if (name === "saga_lock_overdue") {
        resolve(values?.[0]);
        void sweeper.stop?.();
      }
      return { rowCount: name === "saga_any_overdue" ? 1 : 0, rows: [] };
    };
    const publisher = {
      isUp: true,
      messagesIn: async (queue: string) => (full.has(queue) ? waiting : 0),
      publishAll: async () => undefined,
    };
    const outbox = { enter: async () => undefined, send: () => undefined };
    const pool = { query, connect: async () => ({ query, release: () => undefined }) };
    const parts = { pool, publisher, outbox, logger: silentLogger } as unknown as Parts;
    const times = { resendAfterS: 60, giveUpS: 600 };
    const sweeper = paymentSweeper({ ...parts, ...times, webhook: false, families: FAMILIES });
    void sweeper.start?.();
  });
}
type Parts = Pick<Parameters<typeof paymentSweeper>[0], "pool" | "publisher" | "outbox" | "logger">;

test.each([
  [paymentsCreated.name, ["debit"]],
  [paymentsChecked.name, ["debit"]],
  [walletDebitRequested.name, ["check"]],
  [walletResponse.name, ["check"]],
])("while over a thousand %s wait, only what awaits a %j is sent again", async (event, sent) => {
  expect(await sentWhile(event, 1_000)).toEqual(["check", "debit"]);
  expect(await sentWhile(event, 1_001)).toEqual(sent);
});
