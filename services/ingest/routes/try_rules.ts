import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { maskedArrival } from "../arrival.js";
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
      const arrival = { ...maskedArrival(arrivalOf(body, "api")), receivedAt: new Date() };
      const [events = []] = await learning.known.normalise([arrival]);
      return { status: 200, body: { events: events.map(triedBodyOf) } };
    },
  });
