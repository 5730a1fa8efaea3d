import type { PartnerEvent } from "./event.js";

export type Destination = "campaigns" | "payouts";

/** An event's way to a destination, as it begins. */
export interface Way {
  readonly destination: Destination;
  /** waiting: what another destination says decides whether it goes there at all. */
  readonly state: "waiting" | "sent";
  /** The destination answers. */
  readonly awaited: boolean;
}

/** Who is told of an event. Each way is a row of its own, so that a destination that is slow holds nobody. */
export const WAYS: Readonly<Record<PartnerEvent["type"], readonly Way[]>> = {
  click: [{ destination: "campaigns", state: "sent", awaited: false }],
  impression: [{ destination: "campaigns", state: "sent", awaited: false }],
  // Only what campaigns spends earns a commission.
  conversion: [
    { destination: "campaigns", state: "sent", awaited: true },
    { destination: "payouts", state: "waiting", awaited: true },
  ],
  payment: [{ destination: "payouts", state: "sent", awaited: true }],
};
