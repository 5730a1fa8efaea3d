import { signal } from "@preact/signals";
import { hrefOf, type Place, placeOf, type Texts } from "../lib/route.js";

/** Where the page is; whoever reads it in a component follows it. */
export const place = signal<Place>(placeOf(location.hash));

addEventListener("hashchange", () => {
  place.value = placeOf(location.hash);
});

/** Another page, or the same one with other filters; a step in the browser's history. */
export function goTo(path: readonly string[], query: Texts = {}): void {
  location.hash = hrefOf(path, query);
}
