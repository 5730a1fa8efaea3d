import type { z } from "zod";
import { CoreError } from "../core_errors.js";
import type { Circumstances, MessageHandler } from "./handle_delivery.js";

/** A handler of JSON messages of one shape, after which nothing else is published. `work` may be called again with the same message. */
export function jsonHandler<Message>(
  schema: z.ZodType<Message>,
  work: (message: Message, circumstances: Circumstances) => Promise<void>,
): MessageHandler<Message> {
  return {
    parse: (body) => parse(schema, body),
    about: () => ({}),
    work: async (message, circumstances) => {
      await work(message, circumstances);
      return [];
    },
    publish: async () => undefined,
  };
}

/** @throws CoreError MESSAGE_MALFORMED, with what is wrong but never the body itself. */
function parse<Message>(schema: z.ZodType<Message>, body: Buffer): Message {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new CoreError("MESSAGE_MALFORMED", "body is not JSON.");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "body"}: ${message}`,
    );
    throw new CoreError("MESSAGE_MALFORMED", `${problems.join("; ")}.`);
  }
  return parsed.data;
}
