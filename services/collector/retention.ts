import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** An event goes by `payments erase` alone, and then its afiliado's name, not its row. */
export const COLLECTOR_RETENTION: readonly Retention[] = [
  {
    table: "collector.event",
    keep: "for ever",
    why: "It is what a partner said, and what money was asked for by.",
  },
  { table: "collector.event_key", keep: "for ever", why: "It keeps an event from taking effect twice." },
  { table: "collector.payout", keep: "for ever", why: "It keeps a payout from being asked for twice." },
  { table: "collector.delivery", keep: "for ever", why: "It tells the partner what became of the event." },
  {
    table: "collector.signed_request",
    keep: { until: "15 minutes after it was signed" },
    why: "It keeps a request from being replayed while its signature is good.",
  },
  {
    table: "collector.rate_limit",
    keep: { until: "an hour after its minute" },
    why: "How much of its limit a source has used.",
  },
  ...serviceRetention("collector"),
];
