import type { State } from "./campaign.js";

export type Outcome = "spent" | "over_budget" | "not_active" | "wrong_currency";
export const OUTCOMES: readonly Outcome[] = ["spent", "over_budget", "not_active", "wrong_currency"];

/** What a conversion costs its campaign. */
export interface SpendRequest {
  readonly campaignId: string;
  /** In minor units. */
  readonly amount: bigint;
  readonly currency: string;
}

/** A campaign as it stands under lock; amounts in minor units. */
export interface Account {
  readonly campaignId: string;
  readonly currency: string;
  readonly state: State;
  /** Its time has come, by the database's clock. */
  readonly started: boolean;
  readonly budget: bigint;
  readonly spend: bigint;
}

/**
 * Decides about spends in their order, each on what those before it left: one that is too large is refused, a smaller one after it
 * may still fit.
 *
 * @param accounts those of all requests
 */
export function decideSpends(
  requests: readonly SpendRequest[],
  accounts: ReadonlyMap<string, Account>,
): readonly Outcome[] {
  const left = new Map(
    [...accounts.values()].map(({ campaignId, budget, spend }) => [campaignId, budget - spend]),
  );
  return requests.map(({ campaignId, amount, currency }) => {
    const account = accounts.get(campaignId) as Account;
    if (currency !== account.currency) {
      return "wrong_currency";
    }
    if (account.state !== "ACTIVE" || !account.started) {
      return "not_active";
    }
    const rest = (left.get(campaignId) as bigint) - amount;
    if (rest < 0n) {
      return "over_budget";
    }
    left.set(campaignId, rest);
    return "spent";
  });
}
