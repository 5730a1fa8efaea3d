import { Page, Section } from "../components/page.js";
import { Failure } from "../components/states.js";
import { unreachable } from "../lib/problem.js";
import { liveness, overview, refusal } from "../state/live.js";
import { Alerts } from "./overview/alerts.js";
import { Charts } from "./overview/charts.js";
import { Flow } from "./overview/flow.js";
import { Lag } from "./overview/lag.js";
import { Safety } from "./overview/safety.js";
import { UnderWay } from "./overview/under_way.js";

/** What flows, what waits, what failed: as the stream tells it. */
export function OverviewPage() {
  const now = overview.value;
  return (
    <Page title="Overview">
      {now === undefined ? (
        <Nothing />
      ) : (
        <div class="parts">
          <Alerts {...now} />
          <Section title="What flows">
            <Flow now={now} />
          </Section>
          <UnderWay now={now} />
          <Charts />
          <div class="beside">
            <Lag now={now} />
            <Safety now={now} />
          </div>
        </div>
      )}
    </Page>
  );
}

function Nothing() {
  return liveness.value === "away" ? (
    <Failure error={refusal.value ?? unreachable()} />
  ) : (
    <p class="quiet">{liveness.value === "paused" ? "Paused before anything was told." : "Loading …"}</p>
  );
}
