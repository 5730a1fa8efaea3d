export const STATES = ["CREATED", "ACTIVE", "PAUSED", "COMPLETED"] as const;
export type State = (typeof STATES)[number];

/** What people decide about a campaign. */
export interface Standing {
  readonly state: State;
  /** In minor units. */
  readonly budget: bigint;
}

export interface Campaign extends Standing {
  readonly campaignId: string;
  readonly name: string;
  readonly currency: string;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  /** In minor units; never more than the budget. */
  readonly spend: bigint;
  readonly impressions: number;
  readonly clicks: number;
  /** Those that were paid for. */
  readonly conversions: number;
  /** One more with each change of state or budget: the ETag. Counts and spend leave it alone. */
  readonly version: number;
  /** One more with each event about it. */
  readonly eventVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
