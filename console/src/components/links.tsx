import type { Link } from "../../../services/console/contracts/common.js";
import { Section } from "./page.js";
import { Id } from "./value.js";

/** What else belongs to the thing. */
export function Links({ links }: { readonly links: readonly Link[] }) {
  return links.length === 0 ? null : (
    <Section title="Belongs to it">
      <ul class="links">
        {links.map(({ kind, id, label }) => (
          <li key={`${kind} ${id}`}>
            <span class="quiet">{kind === "pago" ? "payout" : kind}</span>{" "}
            <Id kind={kind} id={id} label={label} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
