/** Shapes of the report; a later one has all that an earlier one has. */
export const VERSIONS = ["v1", "v2"] as const;
export type Version = (typeof VERSIONS)[number];
