import { serviceQueues } from "../../lib/broker/topology.js";
import {
  collectorEvtClick,
  collectorEvtConversion,
  collectorEvtImpression,
} from "../contracts/collector_evt.js";

export const CAMPAIGNS_QUEUES = serviceQueues("campaigns", {
  service: "campaign-service",
  events: [collectorEvtClick.name, collectorEvtImpression.name, collectorEvtConversion.name],
});
