import { Command } from "commander";
import { command } from "../../lib/cli/command.js";
import { Metrics } from "../../lib/observability/metrics.js";
import { packageVersion } from "../../lib/root.js";
import { serveEndpoint } from "../../lib/runtime/ops_server.js";
import { Worker } from "../worker.js";

export function workerCommand(): Command {
  return new Command("worker")
    .description("take messages and run their steps until SIGTERM, which lets the steps under way finish")
    .action(
      command(async ({ settings, logger, interruption }, _options: object) => {
        const signal = interruption();
        const metrics = new Metrics({ version: packageVersion() }, { process: true });
        const worker = new Worker(settings, logger, { metrics });
        // Before the start, which may have to wait for a server: that is when somebody asks how it is.
        const endpoint =
          settings.WORKER_METRICS_PORT === 0
            ? undefined
            : await serveEndpoint({
                host: settings.WORKER_METRICS_HOST,
                port: settings.WORKER_METRICS_PORT,
                registry: metrics.registry,
                dependencies: () => worker.dependencies(),
                logger,
              });
        try {
          const stopped = new Promise<void>((resolve) => {
            if (signal.aborted) resolve();
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          await Promise.race([worker.start(), stopped]);
          await stopped;
          logger.info("stopping: no more messages are taken");
        } finally {
          await worker.stop();
          await endpoint?.close();
        }
        logger.info("worker stopped");
        return undefined;
      }),
    );
}
