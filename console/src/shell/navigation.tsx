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
      {NAVIGATION.map(({ title, pages }) => (
        <div key={title}>
          {title && (
            <p class="quiet" id={`pages-of-${title}`}>
              {title}
            </p>
          )}
          <ul aria-labelledby={title && `pages-of-${title}`}>
            {pages.map(([name, text]) => (
              <li key={name}>
                <a
                  href={hrefOf(name === "" ? [] : [name])}
                  aria-current={name === current ? "page" : undefined}
                >
                  {text}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
      <a class="quiet" href="/assets/licenses.md">
        Licenses
      </a>
    </nav>
  );
}
