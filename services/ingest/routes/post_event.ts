import type { Answer, SentAnswer } from "../../../lib/http/answer.js";
import { replayed } from "../../../lib/http/answer.js";
import { withinLimit } from "../../../lib/http/limited.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Intake } from "../intake.js";
import { takenAnswer, takenBody } from "./event_answer.js";
import { arrivalOf, eventRequest } from "./event_request.js";
import { countMore, eventsAsk, type Limits, requestAsk } from "./limits.js";

/** Whatever it is, it is stored and answered 201; sent again it is a repeat. */
export const postEvent = ({ intake, limits }: { readonly intake: Intake; readonly limits: Limits }) =>
  defineRoute({
    method: "POST",
    path: "/api/v1/events",
    summary: "An event of a payment provider, in whatever form",
    request: { body: eventRequest },
    answers: { 201: takenBody },
    cardData: "module",
    handle: (request): Promise<Answer | SentAnswer> =>
      withinLimit(limits.requests, request, requestAsk(request), () =>
        withinLimit(limits.events, request, eventsAsk(request, 1), async () => {
          const taken = await intake.take([arrivalOf(request.body, "api")]);
          await countMore(limits, request, taken);
          const [results = []] = taken;
          const [first] = results;
          const one = results.length === 1 && first !== undefined;
          return {
            status: 201,
            body: takenAnswer(results),
            headers: one ? { location: `/api/v1/events/${first.id}`, ...replayed(first.repeat) } : {},
          };
        }),
      ),
  });
