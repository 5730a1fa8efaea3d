import type { z } from "zod";
import { parseBody } from "../messaging/read_event.js";
import type { Circumstances, MessageHandler } from "./handle_delivery.js";

/** A handler of JSON messages of one shape, after which nothing else is published. `work` may be called again with the same message. */
export function jsonHandler<Message>(
  schema: z.ZodType<Message>,
  work: (message: Message, circumstances: Circumstances) => Promise<void>,
): MessageHandler<Message> {
  return {
    parse: (body) => parseBody(schema, body),
    about: () => ({}),
    work: async (message, circumstances) => {
      await work(message, circumstances);
      return [];
    },
    publish: async () => undefined,
  };
}
