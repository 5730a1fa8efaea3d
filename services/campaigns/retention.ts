import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** No spend can go: budgets are held against their sum. */
export const CAMPAIGNS_RETENTION: readonly Retention[] = [
  { table: "campaigns.campaign", keep: "for ever", why: "Spends refer to it; a completed one stays too." },
  { table: "campaigns.transition", keep: "for ever", why: "The rules, not data." },
  {
    table: "campaigns.change",
    keep: "for ever",
    why: "It proves how a campaign came to its state and budget.",
  },
  { table: "campaigns.spend", keep: "for ever", why: "It keeps a conversion from being spent twice." },
  {
    table: "campaigns.sighting",
    // As campaigns.sighting_retention() has it.
    keep: { days: 7, since: "seen_at" },
    why: "What comes twice from the collector was said twice by a crash or a replay, which is a matter of days.",
  },
  ...serviceRetention("campaigns"),
];
