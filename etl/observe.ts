import { createHash } from "node:crypto";
import type { Handler } from "../lib/broker/delivery.js";
import { ETL_QUEUES, maxAttempts, queueNames } from "../lib/broker/topology.js";
import type { Logger } from "../lib/observability/log.js";
import { codeLabel, type Metrics } from "../lib/observability/metrics.js";
import { DEFECTS } from "./generate/defects.js";
import type { ChunkSource } from "./generate/source.js";
import { type Message, parseMessage } from "./message.js";
import type { StepContext, StepFacts } from "./steps/step.js";

const STEPS = ["begin", "plan", "stage", "clean", "agg", "invalid"] as const;
const OUTCOMES = ["done", "retry", "reject", "release"] as const;

/** A rate or a ratio of what has never happened should be 0, not missing. */
function beginAtZero(metrics: Metrics): void {
  for (const step of STEPS) {
    metrics.inFlight.set({ step }, 0);
    for (const outcome of OUTCOMES) metrics.stepSeconds.zero({ step, outcome });
  }
  for (const { class: reason, outcome } of DEFECTS) {
    if (outcome === "rejected") metrics.rowsRejected.inc({ reason }, 0);
  }
  for (const queue of queueNames(ETL_QUEUES)) metrics.publishes.inc({ queue, result: "confirmed" }, 0);
}

/** Counts and times what a handler does, by step and outcome. */
export function observeHandler(metrics: Metrics, handler: Handler): Handler {
  beginAtZero(metrics);
  return async (delivery) => {
    const step = stepOf(delivery.body);
    const stop = metrics.stepSeconds.startTimer({ step });
    metrics.inFlight.inc({ step });
    try {
      const outcome = await handler(delivery);
      stop({ outcome: outcome.kind });
      const buried =
        outcome.kind === "reject" ||
        (outcome.kind === "retry" && delivery.attempt >= maxAttempts(ETL_QUEUES));
      if (buried) metrics.deadLettered.inc({ code: codeLabel(outcome.code) });
      else if (outcome.kind === "retry") metrics.retried.inc({ code: codeLabel(outcome.code) });
      return outcome;
    } finally {
      metrics.inFlight.dec({ step });
    }
  };
}

/** A step's context whose log lines carry its trace, and whose reports are counted once it has committed. */
export interface ObservedStep {
  readonly context: StepContext;
  readonly committed: () => void;
}

export function observeStep(metrics: Metrics, context: StepContext, message: Message): ObservedStep {
  const reports: StepFacts[] = [];
  const logger = tracedLogger(context.logger, message);
  const source = countedSource(metrics, context.source);
  return {
    context: { ...context, logger, source, report: (facts) => reports.push(facts) },
    committed: () => {
      for (const facts of reports) count(metrics, facts);
    },
  };
}

/**
 * The trace of a run, or of one of its chunks: 32 hexadecimal digits, as in W3C trace contexts. Made of their names, so that every
 * step, redelivery and worker gives a chunk the same one, and nothing has to travel with the messages.
 */
export function traceId(run: string, chunk?: number): string {
  return createHash("sha256")
    .update(`${run}/${chunk ?? ""}`)
    .digest("hex")
    .slice(0, 32);
}

function tracedLogger(logger: Logger, message: Message): Logger {
  // A bare `stage` has no run yet; what it begins has one.
  if (message.kind === "begin") return logger;
  return logger.child({ trace: traceId(message.run, "chunk" in message ? message.chunk : undefined) });
}

/** Which run, chunk or month a message is about, for a log line. */
export function aboutOf(message: Message): object {
  const { kind: step, ...about } = message;
  return { step, ...about };
}

function countedSource(metrics: Metrics, source: StepContext["source"]): StepContext["source"] {
  const stream: ChunkSource["stream"] = (spec, chunkNo, onKey) =>
    source.stream(spec, chunkNo, (key) => {
      metrics.rowsGenerated.inc(key.rows);
      onKey(key);
    });
  return { stream };
}

function count(metrics: Metrics, facts: StepFacts): void {
  if (facts.step === "stage") {
    metrics.rowsStaged.inc(facts.rows);
    metrics.copyBytes.inc(facts.copyBytes);
  } else {
    metrics.rowsAccepted.inc(facts.accepted);
    metrics.rowsRepaired.inc(facts.repaired);
    for (const [reason, rows] of Object.entries(facts.reasons)) metrics.rowsRejected.inc({ reason }, rows);
  }
}

function stepOf(body: Buffer): (typeof STEPS)[number] {
  try {
    return parseMessage(body).kind;
  } catch {
    return "invalid";
  }
}
