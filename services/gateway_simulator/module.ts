import { once } from "node:events";
import { defineModule } from "../../lib/runtime/module.js";
import { Bank } from "./bank.js";
import { Book } from "./book.js";
import { Cashier } from "./cashier.js";
import { Notices } from "./notices.js";
import { simulatorServer } from "./server.js";
import { simulatorSettings } from "./settings.js";

/** Stands in for Stripe where there is no account. A process of its own, which shares no table and no queue with anybody. */
export const gatewaySimulator = defineModule({
  name: "gateway-simulator",
  service: "gateway-simulator",
  settings: simulatorSettings,
  start: ({ settings, logger }) => {
    const { SIMULATOR_HOST: host, SIMULATOR_PORT: port } = settings;
    const odds = {
      seed: settings.SIMULATOR_SEED,
      failureRate: settings.SIMULATOR_FAILURE_RATE,
      returnRate: settings.SIMULATOR_RETURN_RATE,
      repeatRate: settings.SIMULATOR_REPEAT_RATE,
    };
    let stop = async () => {};
    const part = {
      name: "gateway simulator",
      start: async () => {
        const book = new Book(settings.SIMULATOR_BOOK_PATH);
        const { SIMULATOR_WEBHOOK_URL: url, SIMULATOR_WEBHOOK_SECRET: secret } = settings;
        const notices = new Notices({ ...odds, url, secret, book, logger });
        const bank = new Bank({ ...odds, book, notices, settleMs: settings.SIMULATOR_SETTLE_MS });
        const cashier = new Cashier({ ...odds, book, bank, latencyMs: settings.SIMULATOR_LATENCY_MS });
        const server = simulatorServer(book, cashier);
        stop = async () => {
          notices.stop();
          bank.stop();
          if (server.listening) {
            server.close();
            server.closeAllConnections();
            await once(server, "close");
          }
          book.close();
        };
        server.listen(port, host);
        await once(server, "listening");
        bank.resume();
        logger.info({ host, port }, "the gateway simulator is up");
      },
      stop: () => stop(),
    };
    // Nothing of it is for Prometheus.
    return { parts: [part], operationsAt: { host, port: 0 } };
  },
});
