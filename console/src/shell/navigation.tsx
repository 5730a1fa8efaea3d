import { signal } from "@preact/signals";
import { hrefOf } from "../lib/route.js";
import { NAVIGATION } from "../pages/pages.js";
import { place } from "../state/place.js";

/** Whether the narrow page shows its navigation; the wide one always does. */
export const menuOpen = signal(false);
addEventListener("hashchange", () => {
  menuOpen.value = false;
});

export function Navigation() {
  const [current = ""] = place.value.path;
  return (
    <nav id="navigation" class={menuOpen.value ? "navigation open" : "navigation"} aria-label="Console">
      <ul>
        {NAVIGATION.map(([name, title]) => (
          <li key={name}>
            <a href={hrefOf(name === "" ? [] : [name])} aria-current={name === current ? "page" : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
