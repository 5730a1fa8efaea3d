import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import { pageQuery } from "../contracts/common.js";
import {
  letterDeed,
  letterDetail,
  letterList,
  letterPreview,
  letterPreviewRequest,
  queues,
} from "../contracts/queues.js";
import type { Deeds, Doer, LetterDeed, SeenLetters } from "../deeds.js";
import { Kept } from "../kept.js";
import type { Resources } from "./resources.js";
import { act, FRESH, look, OWN } from "./route.js";

/** As many as a page of the console is looked through for; the rest is a matter of codes and counts. */
const MOST_LETTERS = 1_000;
/** A look takes all letters of a queue in hand, and one at a time can. */
const KEPT_MS = 5_000;
const MOST_BODY_CHARS = 256 * 1_024;

const name = z.string().min(1).max(255);

export const getQueues = (resources: Resources) =>
  look(resources, {
    path: "/queues",
    summary: "Queues, as the broker told them last",
    answer: queues,
    handle: async () => {
      const { as_of } = await resources.poller.overview();
      const { items, asOf } = resources.poller.queues;
      return { items: items === undefined ? null : [...items], as_of: asOf ?? as_of };
    },
  });

/** Letters have no place of their own, only an order: a cursor says how many came before. */
const pages = keyset("console letters", { skip: z.int().nonnegative() });

/** What was seen of queues of dead letters, until somebody does something to them. */
export type LetterLooks = Kept<SeenLetters>;
export const letterLooks = (): LetterLooks => new Kept(KEPT_MS);

export const getLetters = (resources: Resources, looks: LetterLooks) =>
  look(resources, {
    path: "/queues/:name/letters",
    summary: "Dead letters, oldest first",
    request: {
      params: z.object({ name }),
      query: z.strictObject({ ...pageQuery, cursor: pages.query.cursor, code: name.optional() }),
    },
    answer: letterList,
    handle: async ({ params, query: { cursor, code, limit } }) => {
      const see = () => resources.deeds.seeLetters(params.name, MOST_LETTERS);
      const { total, letters } = await looks.of(params.name, see);
      const skip = cursor?.skip ?? 0;
      const meant = letters.filter((letter) => code === undefined || letter.code === code);
      const codes = new Map<string, number>();
      for (const letter of letters) {
        codes.set(letter.code, (codes.get(letter.code) ?? 0) + 1);
      }
      return {
        items: meant.slice(skip, skip + limit),
        next: meant.length > skip + limit ? pages.cursorAt({ skip: skip + limit }) : null,
        total,
        codes: [...codes]
          .toSorted(([, a], [, b]) => b - a)
          .map(([each, count]) => ({ code: each, letters: count })),
      };
    },
  });

export const getLetter = (resources: Resources) =>
  look(resources, {
    path: "/queues/:name/letters/:id",
    summary: "A dead letter whole",
    request: { params: z.object({ name, id: name }) },
    answer: letterDetail,
    handle: async ({ params }) => {
      const { letter, encoding, body, properties, headers } = await resources.deeds.readLetter(
        params.name,
        params.id,
      );
      return {
        ...{ letter, encoding },
        body: body.slice(0, MOST_BODY_CHARS),
        cut: body.length > MOST_BODY_CHARS,
        properties: { ...properties },
        headers: { ...headers },
      };
    },
  });

export const previewLetters = ({ access, deeds }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "POST", path: "/console/api/letters/preview", summary: "What a replay would come to" },
    request: { body: letterPreviewRequest },
    answers: { 200: letterPreview },
    handle: async ({ body, raw }) => {
      access.requireOperator(raw.headers);
      const as_of = new Date().toISOString();
      return { status: 200, body: { ...(await deeds.foretellLetters(body)), as_of }, headers: FRESH };
    },
  });

type OnLetters = (deeds: Deeds, order: LetterDeed, doer: Doer) => Promise<object>;

const onLetters =
  (what: "replay" | "abandon", summary: string, work: OnLetters) =>
  (resources: Resources, looks: LetterLooks) =>
    act(resources, {
      path: `/letters/${what}`,
      summary,
      request: { body: letterDeed },
      deed: ({ body: { reason: _, ...order } }) => ({
        kind: `letters.${what}` as const,
        subject: order.queue,
        work: (doer) => work(resources.deeds, order, doer).finally(() => looks.forget(order.queue)),
      }),
    });

export const replayLetters = onLetters(
  "replay",
  "Send dead letters to the queues that they came from again",
  (deeds, order, doer) => deeds.replayLetters(order, doer),
);
export const abandonLetters = onLetters("abandon", "Delete dead letters for good", (deeds, order, doer) =>
  deeds.abandonLetters(order, doer),
);
