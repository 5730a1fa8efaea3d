import { z } from "zod";
import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { amount, currency } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { amountOfField } from "../../../lib/http/amount_field.js";
import { withIdempotency } from "../../../lib/http/idempotency.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Outbox } from "../../../lib/messaging/outbox.js";
import { type Pool, transaction } from "../../../lib/postgres/pool.js";
import { CampaignsError } from "../errors.js";
import { createdEvent } from "../events.js";
import { insertCampaign, type NewCampaign } from "../store/campaign.js";
import { answerOf, campaignBody } from "./campaign_body.js";

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const body = z.strictObject({
  name: z
    .string()
    .max(200, "has more than 200 characters")
    .regex(
      /^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u,
      "is not of visible characters with single blanks between them",
    )
    .meta({ examples: ["Autumn"] }),
  budget: amount,
  currency,
  starts_at: instant.optional(),
  ends_at: instant.optional(),
});

/** With an Idempotency-Key a repetition is the same campaign; without one each request is a new one. */
export const createCampaign = (pool: Pool, outbox: Outbox) =>
  defineRoute({
    method: "POST",
    path: "/campaigns",
    summary: "Make a campaign; it spends once it is activated",
    request: { body },
    idempotency: "optional",
    answers: { 201: campaignBody },
    handle: async (request) => {
      const { traceId } = request;
      const campaign = campaignOf(request.body, traceId);
      const events: OutgoingMessage[] = [];
      const answer = await transaction(pool, (tx) =>
        withIdempotency(tx, { schema: "campaigns", request }, async () => {
          const made = await insertCampaign(tx, campaign);
          if (made === undefined) {
            throw wrongEnd("it has ended already.");
          }
          events.push(createdEvent(made, traceId));
          await outbox.enter(tx, events);
          const { body: answered, headers } = answerOf(made);
          return {
            status: 201,
            body: answered,
            headers: { ...headers, location: `/campaigns/${made.campaignId}` },
          };
        }),
      );
      outbox.send(events);
      return answer;
    },
  });

/** @throws CoreError AMOUNT_INVALID, CURRENCY_UNKNOWN; CampaignsError CAMPAIGN_PERIOD */
function campaignOf(asked: z.output<typeof body>, traceId: string): NewCampaign {
  const { name, currency: code, starts_at: startsAt = null, ends_at: endsAt = null } = asked;
  if (startsAt !== null && endsAt !== null && endsAt <= startsAt) {
    throw wrongEnd("it would end before it begins.");
  }
  const budget = amountOfField(asked.budget, code, "budget");
  return { campaignId: newId(), name, currency: code, startsAt, endsAt, budget, traceId };
}

const wrongEnd = (what: string) =>
  new CampaignsError("CAMPAIGN_PERIOD", what, { field: { in: "body", pointer: "#/ends_at" } });
