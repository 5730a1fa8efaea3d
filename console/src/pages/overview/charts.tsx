import { useMemo } from "preact/hooks";
import { Chart } from "../../components/chart.js";
import { Section } from "../../components/page.js";
import { history } from "../../state/live.js";

/** The last minutes of what comes in and what waits. */
export function Charts() {
  const points = history.value;
  const { times, rates, queued } = useMemo(
    () => ({
      times: points.map(({ at }) => Date.parse(at) / 1_000),
      rates: [
        { label: "payments/s", values: points.map((point) => point.payments_per_s) },
        { label: "partners' events/s", values: points.map((point) => point.partner_events_per_s) },
        { label: "providers' events/s", values: points.map((point) => point.provider_events_per_s) },
      ],
      queued: [{ label: "messages", values: points.map((point) => point.queued) }],
    }),
    [points],
  );
  return (
    <Section title="The last minutes">
      {points.length === 0 ? (
        <p class="empty">Nothing was told yet.</p>
      ) : (
        <div class="charts">
          <Chart title="Coming in" times={times} series={rates} />
          <Chart title="Waiting in work queues" times={times} series={queued} />
        </div>
      )}
    </Section>
  );
}
