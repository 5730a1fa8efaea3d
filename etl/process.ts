import { register } from "../lib/observability/registry.js";
import { consumerProcess } from "../lib/runtime/consumer_process.js";
import type { LeaseTimes } from "../lib/runtime/lease.js";
import type { Part } from "../lib/runtime/lifecycle.js";
import type { Runtime } from "../lib/runtime/module.js";
import { ChunkSource } from "./generate/source.js";
import { workerLease } from "./ledger/worker.js";
import { etlMetrics } from "./metrics.js";
import { StepObserver } from "./observe.js";
import { ETL_QUEUES } from "./queues.js";
import type { EtlSettings } from "./settings.js";
import { stepHandler } from "./steps/handler.js";
import type { StepContext } from "./steps/step.js";

export interface WorkerOptions {
  /** One that outlives the worker. Default: one of its own. */
  readonly source?: ChunkSource;
  /** Shorter ones are for tests. */
  readonly leaseTimes?: LeaseTimes;
  readonly holdMs?: number;
  /** Called at each named point of a step, see point.ts. */
  readonly reached?: StepContext["reached"];
}

/** A worker: takes messages from the work queue and runs their steps, until the process is told to stop. */
export function workerParts(runtime: Runtime<EtlSettings>, options: WorkerOptions = {}): readonly Part[] {
  const { settings, registry, messages } = runtime;
  const source = options.source ?? new ChunkSource();
  const observer = new StepObserver(register(registry, etlMetrics), messages);
  return [
    ...(options.source === undefined ? [{ name: "generator", stop: () => source.close() }] : []),
    ...consumerProcess(runtime, {
      title: "payments-worker",
      queues: ETL_QUEUES,
      concurrency: settings.WORKER_CONCURRENCY,
      lease: workerLease,
      leaseTimes: options.leaseTimes,
      holdMs: options.holdMs,
      observe: (handler) => observer.observe(handler),
      handler: ({ pool, publisher, workerId }) =>
        stepHandler({
          pool,
          source,
          worker: workerId,
          settings,
          observer,
          publish: (body, headers) => publisher.publish(ETL_QUEUES.work, body, { headers }),
          reached: options.reached,
        }),
    }).parts,
  ];
}
