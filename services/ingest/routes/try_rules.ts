import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { maskBody } from "../domain/mask.js";
import type { Learning } from "../learning/learning.js";
import { arrivalOf, eventRequest } from "./event_request.js";
import { triedBody, triedBodyOf } from "./tried_body.js";

export const tryRules = ({ learning }: { readonly learning: Learning }) =>
  defineRoute({
    method: "POST",
    path: "/api/v1/rules/try",
    summary:
      "What an event would come to, by rules and learned mappings; nothing is stored and no model asked",
    request: { body: eventRequest },
    answers: { 200: z.object({ events: z.array(triedBody) }) },
    cardData: "module",
    handle: async ({ body }) => {
      const arrival = arrivalOf(body, "api");
      const [events = []] = await learning.known.normalise([
        { ...arrival, raw: maskBody(arrival.raw), receivedAt: new Date() },
      ]);
      return { status: 200, body: { events: events.map(triedBodyOf) } };
    },
  });
