import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** What providers said is kept: an event is understood better when there are better rules. */
export const INGEST_RETENTION: readonly Retention[] = [
  {
    table: "ingest.body",
    keep: "for ever",
    why: "It is what a provider said, without card data; rules to come read it again.",
  },
  { table: "ingest.event", keep: "for ever", why: "It is what a body was taken for." },
  {
    table: "ingest.event_key",
    keep: { until: "rules tell the event by another key" },
    why: "It keeps an event from counting twice.",
  },
  {
    table: "ingest.payment",
    keep: { until: "no event is of that payment any more" },
    why: "How a payment stands.",
  },
  { table: "ingest.event_day", keep: "for ever", why: "Figures of a day, small." },
  { table: "ingest.amount_day", keep: "for ever", why: "Figures of a day, small." },
  { table: "ingest.fx_rate", keep: "for ever", why: "Amounts in USD were computed with it." },
  { table: "ingest.former_event", keep: "for ever", why: "Evidence of what rules changed." },
  {
    table: "ingest.rate_limit",
    keep: { until: "an hour after its minute" },
    why: "How much of its limits a client has used.",
  },
  {
    table: "ingest.mapping",
    keep: "for ever",
    why: "Events are read by it; a rejected one is never taken again.",
  },
  {
    table: "ingest.learning_sample",
    keep: { until: "its mapping is a rule or gave way, 30 days at most" },
    why: "Mappings are made of it and tested on it.",
  },
  { table: "ingest.learning_family", keep: "for ever", why: "A row a provider: whose turn it is to ask." },
  {
    table: "ingest.model_call",
    keep: "for ever",
    why: "What was asked when, and what came of it; few rows.",
  },
  ...serviceRetention("ingest"),
];
