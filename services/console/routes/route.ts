import type { z } from "zod";
import { fingerprintOfRequest } from "../../../lib/http/idempotency.js";
import { defineRoute, type RequestSchemas, type Route, type RouteRequest } from "../../../lib/http/route.js";
import type { Access } from "../access.js";
import type { Actions } from "../actions.js";
import { type ActionKind, actionAnswer } from "../contracts/actions.js";
import type { Doer } from "../platform_actions.js";
import { bodyOfAction } from "../store/action.js";

/** What all endpoints of the console have in common: no API key but its own access, and no page of the API's document. */
export const OWN = { access: "module", unlisted: true } as const;

/** Neither a browser nor a proxy keeps what the console says. */
export const FRESH = { "cache-control": "no-store" };

interface Look<Schemas extends RequestSchemas, Answer extends z.ZodType> {
  /** After /console/api. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly request?: Schemas;
  readonly answer: Answer;
  /** What is answered, without the time at which it was read. */
  readonly handle: (request: RouteRequest<Schemas>) => Promise<Omit<z.input<Answer>, "as_of">>;
}

/** An endpoint that whoever has signed in may look at. */
export const look = <const Schemas extends RequestSchemas, Answer extends z.ZodType>(
  { access }: { readonly access: Access },
  { path, summary, request, answer, handle }: Look<Schemas, Answer>,
): Route =>
  defineRoute<Schemas>({
    ...OWN,
    ...{ method: "GET", path: `/console/api${path}`, summary, answers: { 200: answer } },
    ...(request === undefined ? {} : { request }),
    handle: async (asked) => {
      access.requireViewer(asked.raw.headers);
      const as_of = new Date().toISOString();
      return { status: 200, body: { as_of, ...(await handle(asked)) }, headers: FRESH };
    },
  });

/** What is to be done, and to what. */
interface AskedAction {
  readonly kind: ActionKind;
  readonly subject: string;
  /** Of two actions to the same thing one waits for the other's end. Default: the subject. */
  readonly thing?: string;
  readonly work: (doer: Doer) => Promise<object>;
}

/** With a reason, as every action has one. */
interface ActionSchemas extends RequestSchemas {
  readonly body: z.ZodType<{ readonly reason: string }>;
}

interface Act<Schemas extends ActionSchemas> {
  /** After /console/api. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly request: Schemas;
  readonly action: (request: RouteRequest<Schemas>) => AskedAction;
}

/** An endpoint by which an operator does something: once for a key, recorded with who and why. */
export const act = <const Schemas extends ActionSchemas>(
  { access, actions }: { readonly access: Access; readonly actions: Actions },
  { path, summary, request, action }: Act<Schemas>,
): Route =>
  defineRoute<Schemas>({
    ...OWN,
    ...{ method: "POST", path: `/console/api${path}`, summary, request, idempotency: "required" },
    answers: { 200: actionAnswer, 202: actionAnswer },
    handle: async (asked) => {
      const { name: who } = access.requireOperator(asked.raw.headers);
      const { kind, subject, thing = subject, work } = action(asked);
      const { reason: why, ...more } = asked.body as { readonly reason: string };
      const { scope = "", key = "" } = asked.idempotency ?? {};
      const row = await actions.begin(
        {
          ...{ kind, subject, asked: more, who, why, traceId: asked.traceId },
          key: `${scope} ${key}`,
          thing: `${kind.split(".")[0]} ${thing}`,
          fingerprint: fingerprintOfRequest(asked),
        },
        work,
      );
      const body = { ...bodyOfAction(row), as_of: new Date().toISOString() };
      return { status: row.state === "running" ? 202 : 200, body, headers: FRESH };
    },
  });
