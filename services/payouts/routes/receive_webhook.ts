import { z } from "zod";
import { Gatherer } from "../../../lib/gatherer.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Service } from "../../../lib/runtime/service_process.js";
import type { PasarelaDePagos } from "../gateway/pasarela.js";
import { factOf, type Reacted, react, type Told } from "../react.js";

/** Two or three come for each Pago. */
const GROUP = { waitMs: 5, max: 200, atOnce: 1 };

export interface ReceiveWebhookOptions extends Pick<Service, "pool" | "outbox"> {
  readonly gateway: PasarelaDePagos;
  readonly count: (outcome: Reacted | "ignored") => void;
}

/**
 * 200 says that what it tells is committed: applied, known before, or recorded because it cannot be. Anything else, and the gateway
 * sends it again. Late, double and disordered ones change nothing.
 */
export const receiveWebhook = ({ pool, outbox, gateway, count }: ReceiveWebhookOptions) => {
  const group = new Gatherer<Told, Reacted>({
    ...GROUP,
    work: async (told) => {
      const { reacted, events } = await react(pool, told);
      outbox.send(events);
      return reacted;
    },
  });
  return defineRoute({
    method: "POST",
    path: "/pagos/webhooks/stripe",
    summary: "What the gateway tells of payouts",
    // The signature is of the bytes.
    bodies: { "application/json": "bytes" },
    signedBy: "Stripe-Signature",
    answers: { 200: z.object({ received: z.literal(true) }) },
    handle: async ({ raw: { body, headers } }) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
      const signature = headers["stripe-signature"];
      const { id, type, about } = await gateway.read(
        bytes,
        signature === undefined ? undefined : String(signature),
      );
      const fact = about && factOf(about.payout);
      if (about === undefined || fact === undefined) {
        count("ignored");
      } else {
        count(await group.add({ idPago: about.idPago, messageId: id, event: type, fact }));
      }
      return { status: 200, body: { received: true } };
    },
  });
};
