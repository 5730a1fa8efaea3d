import { defineModule } from "../lib/runtime/module.js";
import { trafficCommand } from "./commands/traffic.js";
import { TrafficError } from "./errors.js";
import { TRAFFIC_RETENTION } from "./retention.js";
import { trafficSettings } from "./settings.js";

/** Customers who pay: load for the services, and the answer key of what must come of it. It serves nothing. */
export const traffic = defineModule({
  name: "traffic",
  settings: trafficSettings,
  errors: TrafficError.table,
  schemas: ["traffic"],
  roles: ["payments_traffic"],
  views: ["traffic.audit_payment", "traffic.audit_partner_event", "traffic.audit_lake_row"],
  retention: TRAFFIC_RETENTION,
  commands: [trafficCommand],
});
