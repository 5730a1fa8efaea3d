import type { Retention } from "../../lib/runtime/retention.js";

export const CONSOLE_RETENTION: readonly Retention[] = [
  { table: "console.action", keep: "for ever", why: "Who did what, and why. Few." },
];
