import type { Message } from "./message.js";

/** Points of a step at which a death would best show a gap between two things that belong together. */
export type Point =
  | "stage: before copy"
  | "stage: in copy"
  | "stage: after copy"
  | "clean: suspects judged"
  | "agg: rolled up"
  | "agg: month published"
  | "agg: month added to"
  | `${Message["kind"]}: committed`
  | `${Message["kind"]}: published`;

/** Called when a step has got to a point; tests kill the process there. */
export type Reached = (point: Point) => void | Promise<void>;
