// A worker that signals itself at a named point of a step: `node worker_at.mjs POINT NTH SIGNAL LEASE_MS`. It runs the
// compiled code in a process of its own, because what is tested is the death of a process. Not TypeScript, so that Node can
// start it as it is.

import { loadAllSettings } from "../../dist/app/settings.js";
import { etl } from "../../dist/etl/module.js";
import { workerParts } from "../../dist/etl/process.js";
import { createLogger } from "../../dist/lib/observability/log.js";
import { Process } from "../../dist/lib/runtime/process.js";

const [point, nth, signal, leaseMs] = process.argv.slice(2);
let left = Number(nth);
const logger = createLogger({ level: "info", format: "json", secrets: [] });
const worker = new Process({ settings: loadAllSettings(), logger, modules: [etl] }, (runtime) =>
  workerParts(runtime, {
    leaseTimes: { beatMs: Number(leaseMs) / 5, leaseMs: Number(leaseMs) },
    reached: (here) => {
      if (here === point && --left === 0) {
        process.kill(process.pid, signal);
      }
    },
  }),
);
await worker.start();
process.once("SIGTERM", async () => {
  await worker.stop();
  process.exit(0);
});
