import type { Overview } from "../../../../services/console/contracts/overview.js";
import { Progress } from "../../components/bars.js";
import { Section } from "../../components/page.js";
import { State } from "../../components/state.js";
import { Id, Instant } from "../../components/value.js";
import { counted, measureText } from "../../lib/text.js";

/** Runs and actions that are at work; nothing where there are none. */
export function UnderWay({ now }: { readonly now: Overview }) {
  const { runs, actions } = now;
  if (!runs?.length && !actions?.length) {
    return null;
  }
  return (
    <Section title="Under way">
      <ul class="plain">
        {runs?.map(({ run, share, eta_s, rows, rows_per_s, failures }) => (
          <li key={run}>
            <Id kind="run" id={run} label={`Run ${run}`} />
            <Progress label={`Done of run ${run}`} share={share} etaS={eta_s} />
            <span class="quiet">
              {counted(rows, "row")}, {measureText(rows_per_s)} rows/s
            </span>
            {failures > 0 && <State state="failed" label={counted(failures, "failure")} />}
          </li>
        ))}
        {actions?.map(({ action_id, kind, subject, who, why, at }) => (
          <li key={action_id}>
            <State state="running" label={`${kind} ${subject}`} />{" "}
            <span class="quiet">
              by {who}: {why}, since <Instant at={at} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
