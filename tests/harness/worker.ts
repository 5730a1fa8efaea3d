import { ChunkSource } from "../../etl/generate/source.js";
import { etl } from "../../etl/module.js";
import { type WorkerOptions, workerParts } from "../../etl/process.js";
import type { EtlSettings } from "../../etl/settings.js";
import type { Logger } from "../../lib/observability/log.js";
import { Process } from "../../lib/runtime/process.js";

export type Worker = Process<EtlSettings>;

/** Of all workers in a test file: each thread that begins spends a third of a second on making the world. */
export const source = new ChunkSource();

/** A worker inside the test's process. */
export function createWorker(settings: EtlSettings, logger: Logger, options: WorkerOptions = {}): Worker {
  return new Process<EtlSettings>({ settings, logger, modules: [etl] }, (runtime) =>
    workerParts(runtime, { source, ...options }),
  );
}
