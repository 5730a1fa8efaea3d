import { z } from "zod";
import { CoreError } from "../lib/core_errors.js";
import type { PlatformError } from "../lib/errors.js";

/** The pipeline sends no larger body. */
export const MAX_BODY_BYTES = 64 * 1_024;
/** What an operator types into the management UI to start a default run. */
const BARE_STAGE = /^[ \t\r\n]*stage[ \t\r\n]*$/;

const run = z.string().regex(/^r[0-9]{1,9}$/);
const chunk = z.int().min(0).max(2_147_483_647);
const month = z.string().regex(/^[0-9]{4}-(0[1-9]|1[0-2])-01$/);
const v = z.literal(1);

const schema = z.union([
  z
    .strictObject({ v, step: z.literal("stage"), run })
    .transform((body) => ({ kind: "plan" as const, run: body.run })),
  z
    .strictObject({ v, step: z.enum(["stage", "clean"]), run, chunk })
    .transform(({ v: _, step: kind, ...about }) => ({ kind, ...about })),
  z
    .strictObject({ v, step: z.literal("agg"), run, month })
    .transform(({ v: _, step: kind, ...about }) => ({ kind, ...about })),
]);

/** A message of the work queue, checked. `begin` is the bare `stage`; `plan` is a stage message without a chunk. */
export type Message =
  | { readonly kind: "begin" }
  | { readonly kind: "plan"; readonly run: string }
  | { readonly kind: "stage"; readonly run: string; readonly chunk: number }
  | { readonly kind: "clean"; readonly run: string; readonly chunk: number }
  | { readonly kind: "agg"; readonly run: string; readonly month: string };

/** A message that this platform sends. */
export type OutMessage = Exclude<Message, { kind: "begin" }>;

/**
 * Checks a body before anything is done with it.
 *
 * @throws PlatformError MESSAGE_TOO_LARGE or MESSAGE_MALFORMED, with what is wrong but never the body itself.
 */
export function parseMessage(body: Buffer): Message {
  if (body.length > MAX_BODY_BYTES) {
    throw new CoreError(
      "MESSAGE_TOO_LARGE",
      `body of ${body.length} bytes, at most ${MAX_BODY_BYTES} are taken.`,
    );
  }
  if (BARE_STAGE.test(body.toString("latin1"))) {
    return { kind: "begin" };
  }
  const parsed = schema.safeParse(parseJson(body));
  if (!parsed.success) {
    throw malformed("not a message of version 1 with step stage, clean or agg and its run, chunk or month");
  }
  return parsed.data;
}

/** The body of a message. */
export function formatMessage(message: OutMessage): string {
  const { kind, ...rest } = message;
  return JSON.stringify({ v: 1, step: kind === "plan" ? "stage" : kind, ...rest });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw malformed("neither JSON nor the word stage");
  }
}

function malformed(why: string): PlatformError {
  return new CoreError("MESSAGE_MALFORMED", `body is ${why}.`);
}
