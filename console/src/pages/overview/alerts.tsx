import type { Overview } from "../../../../services/console/contracts/overview.js";
import { Mark } from "../../components/states.js";
import { Id } from "../../components/value.js";

/** What wants somebody's eyes, worst first; none is said too. */
export function Alerts({ alerts, queues, lag, runs, workers }: Overview) {
  if (alerts.length === 0) {
    // What was never told may be wrong as well: of it no alert is made.
    const isTold = [queues, lag, runs, workers].every((told) => told !== null);
    return (
      <div class={isTold ? "notice good" : "notice"}>
        <p>
          <Mark tone={isTold ? "good" : "idle"} />{" "}
          {isTold ? "Nothing wants your attention." : "Not everything was told yet."}
        </p>
      </div>
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
