import type { Campaign, Standing, State } from "./campaign.js";

/** What somebody wants of a campaign. */
export type Command =
  | { readonly kind: "enter"; readonly state: "ACTIVE" | "PAUSED" | "COMPLETED" }
  /** In minor units. */
  | { readonly kind: "budget"; readonly budget: bigint };

export type Decision =
  | { readonly kind: "change"; readonly to: Standing }
  /** It is so already. */
  | { readonly kind: "unchanged" }
  /** No way leads from its state to the other. */
  | { readonly kind: "illegal"; readonly from: State; readonly to: State }
  /** More was spent already. */
  | { readonly kind: "below spend" };

/** As campaigns.transition has them, which refuses what is wrong here. */
const WAYS: Readonly<Record<State, readonly State[]>> = {
  CREATED: ["ACTIVE", "COMPLETED"],
  ACTIVE: ["PAUSED", "COMPLETED"],
  PAUSED: ["ACTIVE", "COMPLETED"],
  COMPLETED: [],
};

/** What a command makes of a campaign. */
export function decide(
  { state, budget, spend }: Pick<Campaign, "state" | "budget" | "spend">,
  command: Command,
): Decision {
  if (command.kind === "enter") {
    if (command.state === state) {
      return { kind: "unchanged" };
    }
    return WAYS[state].includes(command.state)
      ? { kind: "change", to: { state: command.state, budget } }
      : { kind: "illegal", from: state, to: command.state };
  }
  if (command.budget === budget) {
    return { kind: "unchanged" };
  }
  if (state === "COMPLETED") {
    return { kind: "illegal", from: state, to: state };
  }
  return command.budget < spend
    ? { kind: "below spend" }
    : { kind: "change", to: { state, budget: command.budget } };
}
