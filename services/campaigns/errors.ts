import { defineErrors, EXIT } from "../../lib/errors.js";

export class CampaignsError extends defineErrors({
  /** There is no such campaign; an event about one may have come before it. */
  CAMPAIGN_NOT_FOUND: { verdict: "retry", http: 404, exit: EXIT.usage },
  /** The campaign's state does not lead to the one that was asked for. */
  CAMPAIGN_STATE: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** More was spent already than the budget would be. */
  BUDGET_BELOW_SPEND: { verdict: "reject", http: 422, exit: EXIT.failed },
  /** The campaign would end before it begins, or has ended already. */
  CAMPAIGN_PERIOD: { verdict: "reject", http: 422, exit: EXIT.failed },
}) {}
