import type { DeadLetter } from "../../lib/broker/dead_letter.js";
import { brokerOptions, withPublisher } from "../../lib/cli/broker.js";
import { withDatabase } from "../../lib/cli/command.js";
import { CoreError } from "../../lib/core_errors.js";
import { type Action, type ActionReport, purge, replay } from "../../lib/dead_letters/action.js";
import { jsonOf, previewOf } from "../../lib/dead_letters/present.js";
import { type Selection, selectedWindows, selectionOf } from "../../lib/dead_letters/selection.js";
import { traceIdOf } from "../../lib/observability/trace.js";
import type { Module } from "../../lib/runtime/module.js";
import type { Letter } from "../../services/console/contracts/queues.js";
import type {
  Doer,
  LetterAction,
  LetterOrder,
  PlatformActions,
  WholeLetter,
} from "../../services/console/platform_actions.js";
import { platform } from "../../services/platform.js";
import { withForetell } from "../commands/dlq_forecast.js";
import { familiesOver, LETTERS_NAME, withLetters } from "../letters.js";
import type { ContextOf } from "./context.js";

type LetterActions = Pick<
  PlatformActions,
  "seeLetters" | "readLetter" | "foretellLetters" | "replayLetters" | "abandonLetters"
>;

const PREVIEW_CHARS = 200;
const MOST_FORECASTS = 100;

const selected = ({ id, code, all }: LetterOrder): Selection =>
  selectionOf(id, { ...(code === undefined ? {} : { reason: code }), ...(all === undefined ? {} : { all }) });

/** What `payments dlq` does. */
export function letterActions(contextOf: ContextOf, modules: readonly Module[]): LetterActions {
  const familiesOf = (queue: string) => familiesOver(queue, modules);
  /** The database is asked first: without a record nothing is done. */
  const act = (
    order: LetterAction,
    { who, signal }: Doer,
    deal: (action: Action) => Promise<ActionReport>,
  ) => {
    const context = contextOf(platform, signal);
    const selection = { ...selected(order), most: order.expected };
    const { queue } = order;
    return withDatabase(context, (db) =>
      withLetters(context, familiesOf(queue)[0], (letters) =>
        deal({ db, letters, queue, selection, by: `console: ${who}`, signal }),
      ),
    );
  };
  return {
    seeLetters: (queue, most) =>
      withLetters(contextOf(platform), familiesOf(queue)[0], async (letters) => {
        const seen: Letter[] = [];
        for await (const window of letters.windows()) {
          seen.push(...window.map(letterOf));
          if (seen.length >= most) {
            break;
          }
        }
        return { total: letters.total, letters: seen.slice(0, most) };
      }),
    readLetter: ({ queue, id, most }) =>
      withLetters(contextOf(platform), familiesOf(queue)[0], async (letters) => {
        let seen = 0;
        for await (const window of letters.windows()) {
          const found = window.find((letter) => letter.id === id);
          if (found !== undefined) {
            return wholeOf(found);
          }
          seen += window.length;
          if (seen >= most) {
            break;
          }
        }
        throw new CoreError("DEAD_LETTER_UNKNOWN", `None of the oldest ${most} letters has the id "${id}".`);
      }),
    foretellLetters: (order, signal) => {
      const context = contextOf(platform);
      const families = familiesOf(order.queue);
      const owner = modules.find(({ queues }) => queues.includes(families[0])) as Module;
      return withLetters(context, families[0], (letters) =>
        withForetell(context, { owner, families }, async (foretell) => {
          const forecasts: { id: string; code: string; kind: string; why: string }[] = [];
          let count = 0;
          const stopped = () => (signal.aborted ? "nobody waits for it any more." : undefined);
          for await (const window of selectedWindows(letters, selected(order), stopped)) {
            count += window.length;
            const shown = window.slice(0, MOST_FORECASTS - forecasts.length);
            const told = shown.length === 0 ? [] : ((await foretell?.(shown)) ?? []);
            forecasts.push(...told.map((each, i) => ({ ...idOf(shown[i] as DeadLetter), ...each })));
            if (order.all === true && count >= MOST_FORECASTS) {
              // How many all are the broker has said.
              count = letters.total;
              break;
            }
          }
          return {
            ...{ total: letters.total, selected: count },
            forecasts: foretell === undefined ? null : forecasts,
          };
        }),
      );
    },
    replayLetters: (order, doer) => {
      const families = familiesOf(order.queue);
      return act(order, doer, (action) =>
        withPublisher(brokerOptions(contextOf(platform), LETTERS_NAME), families, (publisher) =>
          replay({ ...action, publisher, families, to: "consumer" }),
        ),
      );
    },
    abandonLetters: (order, doer) => act(order, doer, purge),
  };
}

const idOf = ({ id, code }: DeadLetter) => ({ id, code });

/** Of times that somebody else wrote on a letter none that is no time is shown. */
const instantOf = (text: string | undefined) =>
  text === undefined || Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString();

function letterOf(letter: DeadLetter): Letter {
  const { id, code, reason, attempts, queue, properties, headers, body } = letter;
  return {
    ...{ id, code, reason, attempts },
    event: properties.type === undefined ? null : String(properties.type),
    from_queue: queue ?? null,
    trace_id: traceIdOf(headers["traceparent"]) ?? null,
    first_failed_at: instantOf(letter.firstFailedAt),
    last_failed_at: instantOf(letter.lastFailedAt),
    bytes: body.length,
    preview: previewOf(body, PREVIEW_CHARS),
  };
}

function wholeOf(letter: DeadLetter): WholeLetter {
  const { encoding, body, properties, headers } = jsonOf(letter) as unknown as WholeLetter;
  return { letter: letterOf(letter), encoding, body, properties, headers };
}
