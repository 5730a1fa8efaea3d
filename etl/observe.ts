import { createHash } from "node:crypto";
import type { Delivery, Handler } from "../lib/broker/delivery.js";
import { queueNames } from "../lib/broker/topology.js";
import type { Logger } from "../lib/observability/log.js";
import type { messageMetrics } from "../lib/observability/message_metrics.js";
import type { Instruments } from "../lib/observability/registry.js";
import { DEFECTS } from "./generate/defects.js";
import type { ChunkSource } from "./generate/source.js";
import { type Message, parseMessage } from "./message.js";
import type { etlMetrics } from "./metrics.js";
import { ETL_QUEUES } from "./queues.js";
import type { StepContext, StepFacts } from "./steps/step.js";

const STEPS = ["begin", "plan", "stage", "clean", "agg", "invalid"] as const;
const OUTCOMES = ["done", "retry", "reject", "release"] as const;

type Metrics = Instruments<typeof etlMetrics>;
type Messages = Instruments<typeof messageMetrics>;

/** Counts the rows and messages of steps, and times each step by its outcome. */
export class StepObserver {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics, messages: Pick<Messages, "publishes">) {
    this.#metrics = metrics;
    // Before anything has happened a rate or a ratio should be 0, not missing.
    for (const step of STEPS) {
      metrics.inFlight.set({ step }, 0);
      for (const outcome of OUTCOMES) {
        metrics.stepSeconds.zero({ step, outcome });
      }
    }
    for (const { class: reason, outcome } of DEFECTS) {
      if (outcome === "rejected") {
        metrics.rowsRejected.inc({ reason }, 0);
      }
    }
    for (const queue of queueNames(ETL_QUEUES)) {
      messages.publishes.inc({ queue, result: "confirmed" }, 0);
    }
  }

  observe(handler: Handler): Handler {
    return async (delivery) => {
      const step = stepOf(delivery);
      const stop = this.#metrics.stepSeconds.startTimer({ step });
      this.#metrics.inFlight.inc({ step });
      try {
        const outcome = await handler(delivery);
        stop({ outcome: outcome.kind });
        return outcome;
      } finally {
        this.#metrics.inFlight.dec({ step });
      }
    };
  }

  /** For one try of a step. Its reports are counted once it has committed. */
  begin(source: StepContext["source"]): {
    readonly source: StepContext["source"];
    readonly report: (facts: StepFacts) => void;
    readonly committed: () => void;
  } {
    const reports: StepFacts[] = [];
    return {
      source: this.#counted(source),
      report: (facts) => reports.push(facts),
      committed: () => {
        for (const facts of reports) {
          this.#count(facts);
        }
      },
    };
  }

  #counted(source: StepContext["source"]): StepContext["source"] {
    const stream: ChunkSource["stream"] = (spec, chunkNo, onKey) =>
      source.stream(spec, chunkNo, (key) => {
        this.#metrics.rowsGenerated.inc(key.rows);
        onKey(key);
      });
    return { stream };
  }

  #count(facts: StepFacts): void {
    if (facts.step === "stage") {
      this.#metrics.rowsStaged.inc(facts.rows);
      this.#metrics.copyBytes.inc(facts.copyBytes);
      return;
    }
    this.#metrics.rowsAccepted.inc(facts.accepted);
    this.#metrics.rowsRepaired.inc(facts.repaired);
    for (const [reason, rows] of Object.entries(facts.reasons)) {
      this.#metrics.rowsRejected.inc({ reason }, rows);
    }
  }
}

/**
 * The trace of a run, or of one of its chunks: 32 hexadecimal digits, as in W3C trace contexts. It is computed from their
 * names: every step, redelivery and worker gives a chunk the same trace, and no message has to carry it.
 */
export function traceId(run: string, chunk?: number): string {
  return createHash("sha256")
    .update(`${run}/${chunk ?? ""}`)
    .digest("hex")
    .slice(0, 32);
}

export function tracedLogger(logger: Logger, message: Message): Logger {
  // A bare `stage` has no run yet; what it begins has one.
  if (message.kind === "begin") {
    return logger;
  }
  return logger.child({ trace_id: traceId(message.run, "chunk" in message ? message.chunk : undefined) });
}

/** Which run, chunk or month a message is about, for a log line. */
export function aboutOf(message: Message): object {
  const { kind: step, ...about } = message;
  return { step, ...about };
}

function stepOf({ body }: Delivery): (typeof STEPS)[number] {
  try {
    return parseMessage(body).kind;
  } catch {
    return "invalid";
  }
}
