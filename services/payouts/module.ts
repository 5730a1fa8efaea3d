import { onScrape, register } from "../../lib/observability/registry.js";
import { defineModule } from "../../lib/runtime/module.js";
import { type Service, serviceProcess } from "../../lib/runtime/service_process.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";
import { compareBooks } from "./book.js";
import { Dispatcher } from "./dispatcher.js";
import { PayoutsError } from "./errors.js";
import { StripeGateway } from "./gateway/stripe.js";
import { forecastPayoutRequested, onPayoutRequested } from "./handlers/on_payout_requested.js";
import { payoutsMetrics } from "./metrics.js";
import { payoutsPanels } from "./panels.js";
import { PAYOUTS_QUEUES } from "./queues.js";
import { PAYOUTS_RETENTION } from "./retention.js";
import { payoutsRoutes } from "./routes/routes.js";
import { payoutsSettings } from "./settings.js";
import type { Entry } from "./store/new_pago.js";

/** Pays afiliados through a gateway, each Pago once. */
export const payouts = defineModule({
  name: "payouts",
  service: "payout-service",
  settings: payoutsSettings,
  errors: PayoutsError.table,
  queues: PAYOUTS_QUEUES,
  metrics: payoutsMetrics,
  schemas: ["payouts"],
  roles: ["payments_payouts"],
  views: [
    "payouts.audit_difference",
    "payouts.audit_pago",
    "payouts.open_state",
    "payouts.report_pago",
    "payouts.console_pago",
    "payouts.console_paid",
    "payouts.console_outbox",
  ],
  retention: PAYOUTS_RETENTION,
  erases: "payouts.erase",
  forecasters: [{ event: payoutsPayoutRequested, forecast: forecastPayoutRequested }],
  audits: ({ PAYOUTS_BOOK_URL: url }, tx, graceS) => compareBooks(tx, { url, graceS }),
  routes: payoutsRoutes,
  panels: payoutsPanels,
  start: (runtime) => {
    const { settings, logger, registry } = runtime;
    const { PAYOUTS_CONNECTIONS: connections, PAYOUTS_CONCURRENCY: concurrency } = settings;
    const { PAYOUTS_CALL_TIMEOUT_S: callTimeoutS, PAYOUTS_ASK_AFTER_S: askAfterS } = settings;
    const metrics = register(registry, payoutsMetrics);
    const announce = (entered: readonly Entry[]) => {
      service.outbox.send(entered.map(({ event }) => event));
      dispatcher.wake();
    };
    const service: Service = serviceProcess(runtime, {
      service: "payout-service",
      schema: "payouts",
      queues: PAYOUTS_QUEUES,
      connections,
      partitioned: ["pago"],
      reactions: [
        {
          event: payoutsPayoutRequested,
          autocommit: true,
          handle: (db, events) => onPayoutRequested(db, events, announce),
        },
      ],
    });
    const gateway = new StripeGateway({
      apiKey: settings.STRIPE_API_KEY,
      apiBase: settings.STRIPE_API_BASE,
      webhookSecret: settings.STRIPE_WEBHOOK_SECRET,
      callTimeoutS,
      probeAfterS: settings.PAYOUTS_PROBE_AFTER_S,
      connections: concurrency,
    });
    const dispatcher = new Dispatcher({
      ...service,
      gateway,
      concurrency,
      callTimeoutS,
      askAfterS,
      giveUpS: settings.PAYOUTS_GIVE_UP_S,
      onAnswer: (answer, seconds) => {
        metrics.calls.inc({ call: "send", answer });
        metrics.callSeconds.observe(seconds);
      },
      onAsked: (answer) => metrics.calls.inc({ call: "ask", answer }),
    });
    onScrape(metrics.inHand, () => dispatcher.inHand);
    onScrape(metrics.circuitOpen, () => Number(gateway.probes));
    const sends = settings.STRIPE_API_KEY !== "";
    if (!sends) {
      logger.info("no Pago is sent: there is no STRIPE_API_KEY");
    }
    metrics.notices.inc({ outcome: "unbooked" }, 0); // So that the first one is a rise.
    const count = (outcome: string) => metrics.notices.inc({ outcome });
    return {
      parts: [...service.parts, ...(sends ? [dispatcher] : [])],
      routes: payoutsRoutes({ ...service, connections, announce, gateway, count }),
      poolQueue: () => service.pool.waitingCount,
    };
  },
});
