import type { Pool } from "../../lib/postgres/pool.js";
import type { MessageHandler } from "../../lib/runtime/handle_delivery.js";
import { recordFailure } from "../ledger/failure.js";
import { formatMessage, type Message, type OutMessage, parseMessage } from "../message.js";
import { aboutOf, type StepObserver, tracedLogger } from "../observe.js";
import { type Origin, originOf, requireOurs } from "../origin.js";
import { defaultSpec } from "../runs/default_spec.js";
import type { EtlSettings } from "../settings.js";
import { aggStep } from "./agg.js";
import { beginStep } from "./begin.js";
import { cleanStep } from "./clean.js";
import { planStep } from "./plan_run.js";
import { stageStep } from "./stage.js";
import type { Next, StepContext } from "./step.js";

export interface StepHandlerOptions {
  readonly pool: Pool;
  readonly source: StepContext["source"];
  readonly worker: string;
  readonly settings: EtlSettings;
  readonly observer: StepObserver;
  /** Resolves when the broker has the message in the work queue. */
  readonly publish: (body: string, headers: Origin) => Promise<void>;
  readonly reached?: StepContext["reached"];
}

/** What follows from a step; `origin` is that of its run, where the step knew of one. */
interface Follower {
  readonly message: OutMessage;
  readonly origin: Origin | undefined;
}

/** Codes of messages about runs that are not in this ledger. */
const FOREIGN: ReadonlySet<string> = new Set(["RUN_ELSEWHERE", "RUN_UNKNOWN"]);

/** What the pipeline does with each kind of message. A step that is run again finds in the ledger how far it got. */
export function stepHandler(options: StepHandlerOptions): MessageHandler<Message, Follower> {
  const { pool, worker, settings, observer, publish, reached } = options;
  return {
    parse: parseMessage,
    about: aboutOf,
    logger: (message, logger) => tracedLogger(logger, message),
    work: async (message, { headers, logger, again }) => {
      const origin = message.kind === "begin" ? undefined : await requireOurs(pool, message.run, headers);
      const { source, report, committed } = observer.begin(options.source);
      const next = await run({ pool, worker, source, logger, report, reached }, message, { again });
      committed();
      await reached?.(`${message.kind}: committed`);
      return next.map((follower) => ({ message: follower, origin }));
    },
    publish: async ({ message, origin }) =>
      publish(formatMessage(message), origin ?? (await originOf(pool, message.run))),
    published: async (message) => reached?.(`${message.kind}: published`),
    deadLettered: async (message, death) => {
      // What begins a run has none yet, and of another database's runs this ledger says nothing.
      if (message.kind === "begin" || FOREIGN.has(death.code)) {
        return;
      }
      await recordFailure(pool, message, { ...death, worker });
    },
  };

  function run(context: StepContext, message: Message, { again }: { again: boolean }): Promise<Next> {
    switch (message.kind) {
      case "begin":
        // It names no run to look up in the ledger: it must be told that an earlier try may have entered one.
        return beginStep(context, {
          spec: defaultSpec(settings),
          windowChunks: settings.STAGE_WINDOW,
          again,
        });
      case "plan":
        return planStep(context, message.run);
      case "stage":
        return stageStep(context, message.run, message.chunk);
      case "clean":
        return cleanStep(context, message.run, message.chunk);
      case "agg":
        return aggStep(context, message.run, message.month);
    }
  }
}
