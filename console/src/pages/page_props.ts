import type { Texts } from "../lib/route.js";

/** What a page gets of its address. */
export interface PageProps {
  /** By the names in its pattern. */
  readonly params: Texts;
  readonly query: Texts;
}
