import { counter } from "../../../lib/observability/registry.js";

export const deskMetrics = {
  tickets: counter("payments_desk_tickets_total", "Tickets entered", "priority"),
};
