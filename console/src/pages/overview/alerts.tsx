import { Mark } from "../../components/states.js";
import { Id } from "../../components/value.js";
import type { Overview } from "../../contracts/overview.js";

/** What wants somebody's eyes, worst first; none is said too. */
export function Alerts({ alerts }: Pick<Overview, "alerts">) {
  if (alerts.length === 0) {
    return (
      <p class="notice good">
        <Mark tone="good" /> Nothing wants your attention.
      </p>
    );
  }
  return (
    <ul class="alerts" aria-label="Alerts">
      {alerts.map(({ code, severity, text, link }) => (
        <li key={`${code} ${text}`} class={`notice ${severity === "critical" ? "bad" : "warn"}`}>
          <p>
            <Mark tone={severity === "critical" ? "bad" : "warn"} /> <strong>{severity}</strong>: {text}{" "}
            {link && <Id {...link} label={`see ${link.label}`} />}
          </p>
          <p class="quiet">
            <code>{code}</code>
          </p>
        </li>
      ))}
    </ul>
  );
}
