import type { Route } from "../../../lib/http/route.js";
import type { Service } from "../../../lib/runtime/service_process.js";
import { activateCampaign, changeBudget, completeCampaign, pauseCampaign } from "./change_campaign.js";
import { createCampaign } from "./create_campaign.js";
import { getCampaign } from "./get_campaign.js";
import { getMetrics } from "./get_metrics.js";
import { listCampaigns } from "./list_campaigns.js";

export const campaignsRoutes = ({
  pool,
  reads,
  outbox,
}: Pick<Service, "pool" | "reads" | "outbox">): readonly Route[] => [
  createCampaign(pool, outbox),
  listCampaigns(reads),
  getCampaign(pool),
  getMetrics(pool),
  activateCampaign({ pool, outbox }),
  pauseCampaign({ pool, outbox }),
  changeBudget({ pool, outbox }),
  completeCampaign({ pool, outbox }),
];
