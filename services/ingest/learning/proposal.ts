import { z } from "zod";
import { FAILURE_REASONS, STATUS_CATEGORIES } from "../domain/normalised.js";
import type { Proposal } from "./family.js";
import { TIME_FORMATS, UNITS } from "./mapping.js";

const CATEGORIES = STATUS_CATEGORIES.filter((category) => category !== "UNPROCESSED");
const path = z.string().max(400);
const paths = z.array(path).min(1).max(3);
const key = z.array(z.string().max(200)).min(1).max(3);

/** What a model is asked to answer with. All members are required, as strict schemas want it; what is not there is null. */
const answer = z.strictObject({
  status: z.strictObject({
    paths,
    values: z.array(z.strictObject({ texts: key, category: z.enum(CATEGORIES) })).max(200),
  }),
  amount: z.strictObject({ path, unit: z.enum(UNITS) }).nullable(),
  currency: path.nullable(),
  id: path.nullable(),
  payment_ref: path.nullable(),
  occurred_at: z.strictObject({ path, format: z.enum(TIME_FORMATS) }).nullable(),
  merchant: path.nullable(),
  country: path.nullable(),
  reason: z
    .strictObject({
      paths,
      values: z.array(z.strictObject({ texts: key, reason: z.enum(FAILURE_REASONS).nullable() })).max(200),
    })
    .nullable(),
});

export type ModelAnswer = z.output<typeof answer>;

/** JSON Schema of the answer. */
export const ANSWER_SCHEMA = z.toJSONSchema(answer);

/** The answer in a model's text; undefined for prose, for another form, and for a status that is given two meanings. */
export function proposalOf(text: string): Proposal | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = answer.safeParse(json);
  return parsed.success ? fromAnswer(parsed.data) : undefined;
}

function fromAnswer({
  status,
  reason,
  payment_ref,
  occurred_at,
  ...fields
}: ModelAnswer): Proposal | undefined {
  const statuses = tableOf(status.values.map(({ texts, category }) => [texts, category]));
  const reasons = reason && tableOf(reason.values.map((each) => [each.texts, each.reason]));
  if (statuses === undefined || reasons === undefined) {
    return undefined;
  }
  return {
    ...fields,
    status: { paths: status.paths, values: statuses },
    paymentRef: payment_ref,
    occurredAt: occurred_at,
    reason: reason && reasons && { paths: reason.paths, values: reasons },
  };
}

function tableOf<Meaning>(
  entries: readonly (readonly [texts: readonly string[], meaning: Meaning])[],
): Readonly<Record<string, Meaning>> | undefined {
  const table = new Map<string, Meaning>();
  for (const [texts, meaning] of entries) {
    const joined = texts.map((text) => text.trim()).join(" | ");
    if (table.has(joined) && table.get(joined) !== meaning) {
      return undefined;
    }
    table.set(joined, meaning);
  }
  return Object.fromEntries(table);
}
