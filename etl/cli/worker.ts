import { Command } from "commander";
import { Worker } from "../worker.js";
import { command } from "./common.js";

export function workerCommand(): Command {
  return new Command("worker")
    .description("take messages and run their steps until SIGTERM, which lets the steps under way finish")
    .action(
      command(async ({ settings, logger, interruption }, _options: object) => {
        const signal = interruption();
        const worker = new Worker(settings, logger);
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
        }
        logger.info("worker stopped");
        return undefined;
      }),
    );
}
