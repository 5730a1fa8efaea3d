import { z } from "zod";
import type { OutgoingMessage } from "../../../lib/broker/confirms.js";
import { amount } from "../../../lib/domain/fields.js";
import { formatAmount } from "../../../lib/domain/money.js";
import { amountOfField } from "../../../lib/http/amount_field.js";
import type { SentAnswer } from "../../../lib/http/answer.js";
import { withIdempotency } from "../../../lib/http/idempotency.js";
import { etagOf, requireMatch } from "../../../lib/http/precondition.js";
import { defineRoute, type RouteRequest } from "../../../lib/http/route.js";
import type { Outbox } from "../../../lib/messaging/outbox.js";
import { type Pool, type Queryable, transaction } from "../../../lib/postgres/pool.js";
import type { Campaign } from "../domain/campaign.js";
import { type Command, type Decision, decide } from "../domain/decide.js";
import { CampaignsError } from "../errors.js";
import { changedEvent } from "../events.js";
import { changeCampaign, findCampaign } from "../store/campaign.js";
import { answerOf, campaignBody, known } from "./campaign_body.js";

const params = z.object({ id: z.uuid().toLowerCase() });
const common = { method: "PATCH", idempotency: "optional", answers: { 200: campaignBody } } as const;

/** What is asked of the campaign as it is found. */
type Ask = (campaign: Campaign) => Command;

interface Resources {
  readonly pool: Pool;
  readonly outbox: Outbox;
}

const entering =
  (verb: string, state: "ACTIVE" | "PAUSED" | "COMPLETED", summary: string) => (resources: Resources) =>
    defineRoute({
      ...common,
      path: `/campaigns/:id/${verb}`,
      summary,
      request: { params },
      handle: (request) => change(resources, request, () => ({ kind: "enter", state })),
    });

export const activateCampaign = entering("activate", "ACTIVE", "Let a campaign spend; again changes nothing");
export const pauseCampaign = entering("pause", "PAUSED", "Keep a campaign from spending for a while");
export const completeCampaign = entering("complete", "COMPLETED", "End a campaign for good");

export const changeBudget = (resources: Resources) =>
  defineRoute({
    ...common,
    path: "/campaigns/:id/budget",
    summary: "Give a campaign another budget, not below what it has spent",
    request: { params, body: z.strictObject({ budget: amount.meta({ examples: ["250.00"] }) }) },
    handle: (request) =>
      change(resources, request, ({ currency }) => ({
        kind: "budget",
        budget: amountOfField(request.body.budget, currency, "budget"),
      })),
  });

/** Change, key, answer and event are one transaction. */
async function change(
  { pool, outbox }: Resources,
  request: RouteRequest<{ params: typeof params }>,
  ask: Ask,
): Promise<SentAnswer> {
  const events: OutgoingMessage[] = [];
  const answer = await transaction(pool, (tx) =>
    withIdempotency(tx, { schema: "campaigns", request }, async () => {
      const { before, after } = await compareAndSet(tx, request, ask);
      if (after !== before) {
        events.push(changedEvent(after, { before, traceId: request.traceId }));
        await outbox.enter(tx, events);
      }
      return answerOf(after);
    }),
  );
  outbox.send(events);
  return answer;
}

/** Decides on the campaign as it is read, and sets it where it still is so; else all of that again. */
async function compareAndSet(
  tx: Queryable,
  { params: { id }, traceId, raw }: RouteRequest<{ params: typeof params }>,
  ask: Ask,
): Promise<{ readonly before: Campaign; readonly after: Campaign }> {
  for (;;) {
    const before = known(id, await findCampaign(tx, id));
    requireMatch(raw.headers, etagOf(before.version));
    const decision = decide(before, ask(before));
    if (decision.kind === "unchanged") {
      return { before, after: before };
    }
    if (decision.kind !== "change") {
      throw refusal(before, decision);
    }
    const after = await changeCampaign(tx, before, { to: decision.to, traceId });
    if (after !== undefined) {
      return { before, after };
    }
  }
}

function refusal(
  { campaignId, state, spend, currency }: Campaign,
  decision: Exclude<Decision, { kind: "change" | "unchanged" }>,
): CampaignsError {
  if (decision.kind === "below spend") {
    const spent = formatAmount(spend, currency);
    return new CampaignsError(
      "BUDGET_BELOW_SPEND",
      `campaign ${campaignId} has spent ${spent} ${currency}.`,
      {
        field: { in: "body", pointer: "#/budget" },
        members: { spend: spent },
      },
    );
  }
  const { from, to } = decision;
  const what = from === to ? "its budget stays" : `it cannot become ${to}`;
  return new CampaignsError("CAMPAIGN_STATE", `campaign ${campaignId} is ${state}: ${what}.`, {
    members: { from, to },
  });
}
