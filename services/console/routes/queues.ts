import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import { pageQuery } from "../contracts/common.js";
import {
  letterAction,
  letterDetail,
  letterList,
  letterPreview,
  letterPreviewRequest,
  queues,
} from "../contracts/queues.js";
import { known } from "../errors.js";
import { Kept } from "../kept.js";
import type { Doer, LetterAction, PlatformActions, SeenLetters, WholeLetter } from "../platform_actions.js";
import { replaysOf } from "../store/letter.js";
import type { Resources } from "./resources.js";
import { act, FRESH, look, OWN } from "./route.js";

/** As many as a page of the console is looked through for; the rest is a matter of codes and counts. */
const MOST_LETTERS = 1_000;
/** A look takes all letters of a queue in hand, and one at a time can. */
const KEPT_MS = 5_000;
const MOST_BODY_CHARS = 256 * 1_024;
/** Letters whole, which may be large. */
const MOST_WHOLE = 20;

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

/** What was seen of queues of dead letters, until somebody does something to them; and letters whole, by queue and id. */
export interface LetterLooks {
  readonly queues: Kept<SeenLetters>;
  readonly letters: Kept<WholeLetter>;
}
export const letterLooks = (): LetterLooks => ({
  queues: new Kept(KEPT_MS),
  letters: new Kept(KEPT_MS, MOST_WHOLE),
});

const seen = ({ platformActions }: Resources, { queues }: LetterLooks, queue: string): Promise<SeenLetters> =>
  queues.of(queue, () => platformActions.seeLetters(queue, MOST_LETTERS));

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
      const { total, letters } = await seen(resources, looks, params.name);
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

export const getLetter = (resources: Resources, looks: LetterLooks) =>
  look(resources, {
    path: "/queues/:name/letters/:id",
    summary: "A dead letter whole",
    request: { params: z.object({ name, id: name }) },
    answer: letterDetail,
    handle: async ({ params: { name: queue, id } }) => {
      const { letters } = await seen(resources, looks, queue);
      // Nobody takes the queue in hand for a letter that is none of those shown.
      known(
        letters.find((each) => each.id === id),
        `letter ${id} among the oldest ${MOST_LETTERS} of ${queue}`,
      );
      const read = () => resources.platformActions.readLetter({ queue, id, most: MOST_LETTERS });
      const [{ letter, encoding, body, properties, headers }, replays] = await Promise.all([
        looks.letters.of(`${queue} ${id}`, read),
        // The letter is with the broker, and is shown without the database too.
        replaysOf(resources.pool, queue, id).catch(() => undefined),
      ]);
      return {
        ...{ letter, encoding },
        body: body.slice(0, MOST_BODY_CHARS),
        cut: body.length > MOST_BODY_CHARS,
        properties: { ...properties },
        headers: { ...headers },
        replays:
          replays?.map(({ replayedBy, replayedAt }) => ({ by: replayedBy, at: replayedAt.toISOString() })) ??
          null,
      };
    },
  });

export const previewLetters = ({ access, platformActions }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "POST", path: "/console/api/letters/preview", summary: "What a replay would come to" },
    request: { body: letterPreviewRequest },
    answers: { 200: letterPreview },
    handle: async ({ body, raw, ending }) => {
      access.requireOperator(raw.headers);
      const as_of = new Date().toISOString();
      const gone = new AbortController();
      const leave = () => gone.abort();
      const { socket } = raw.raw;
      socket.once("close", leave);
      try {
        const foretold = await platformActions.foretellLetters(body, AbortSignal.any([ending, gone.signal]));
        return { status: 200, body: { ...foretold, as_of }, headers: FRESH };
      } finally {
        socket.off("close", leave);
      }
    },
  });

type OnLetters = (platformActions: PlatformActions, order: LetterAction, doer: Doer) => Promise<object>;

const onLetters =
  (what: "replay" | "abandon", summary: string, work: OnLetters) =>
  (resources: Resources, looks: LetterLooks) =>
    act(resources, {
      path: `/letters/${what}`,
      summary,
      request: { body: letterAction },
      action: ({ body: { reason: _, ...order } }) => ({
        kind: `letters.${what}` as const,
        subject: order.queue,
        work: (doer) =>
          work(resources.platformActions, order, doer).finally(() => looks.queues.forget(order.queue)),
      }),
    });

export const replayLetters = onLetters(
  "replay",
  "Send dead letters to the queues that they came from again",
  (platformActions, order, doer) => platformActions.replayLetters(order, doer),
);
export const abandonLetters = onLetters(
  "abandon",
  "Delete dead letters for good",
  (platformActions, order, doer) => platformActions.abandonLetters(order, doer),
);
