import type { WindowDetail } from "../answers.js";
import { Facts } from "../components/facts.js";
import { Letters } from "../components/letters.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show, type Tone } from "../components/states.js";
import { type Stretch, Strip } from "../components/strip.js";
import { Count, Instant } from "../components/value.js";
import { hrefOf } from "../lib/route.js";
import { durationText, grouped } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function WindowPage({ params }: PageProps) {
  const id = params["id"] ?? "";
  const answer = useAnswer<WindowDetail>(`windows/${encodeURIComponent(id)}`);
  return (
    <Page title={`Window ${id}`} answer={answer}>
      <Show answer={answer}>
        {(detail) => (
          <div class="parts">
            <Slots slots={detail.slots} expected={detail.window.expected} />
            <Window {...detail} />
            <Compare compare={detail.compare} />
            <Letters letters={detail.letters} />
          </div>
        )}
      </Show>
    </Page>
  );
}

type Slot = NonNullable<WindowDetail["slots"]>[number];
const CAME: Readonly<Record<Slot["came"], readonly [tone: Tone, text: string]>> = {
  ok: ["good", "came, ok"],
  error: ["bad", "came, tells of an error"],
  late: ["warn", "came late"],
  missing: ["bad", "is missing"],
  waiting: ["idle", "is not due yet"],
};
const TOLD: Readonly<Record<NonNullable<Slot["told"]>, string>> = {
  sending: "the reporter is sending it",
  sent: "the reporter sent it",
  omitted: "the reporter left it out",
  stalled: "the reporter had stalled",
  unknown: "the reporter does not know",
};

function Slots({ slots, expected }: Pick<WindowDetail, "slots"> & { readonly expected: number }) {
  const last = slots?.at(-1)?.last ?? expected;
  return (
    <Section title="Slots">
      {slots === null ? (
        <p class="empty">Its reports are not kept any more: they are for 28 days.</p>
      ) : (
        <Strip stretches={slots.map(stretchOf)} />
      )}
      {last < expected && (
        <p class="quiet">
          The rest, slots {grouped(last + 1)} to {grouped(expected)}, is not shown.
        </p>
      )}
    </Section>
  );
}

function stretchOf({ first, last, came, told }: Slot): Stretch {
  const [tone, text] = CAME[came];
  return { first, last, tone, text: told === null ? text : `${text}; ${TOLD[told]}` };
}

function Window({ window }: WindowDetail) {
  return (
    <Section title="Window">
      <Facts
        facts={[
          [
            "Service",
            <a key="service" href={hrefOf(["windows"], { service: window.service })}>
              {window.service}
            </a>,
          ],
          ["State", <State key="state" state={window.state} />],
          ["From", <Instant key="from" at={window.from} />],
          ["Until", <Instant key="to" at={window.to} />],
          ["Deadline", <Instant key="deadline" at={window.deadline} />],
          ["A report every", durationText(window.interval_ms / 1_000)],
          ["Expected", <Count key="expected" of={window.expected} />],
          ["Received", <Count key="received" of={window.received} />],
          ["Errors", <Count key="errors" of={window.errors} />],
          ["Missing", <Count key="missing" of={window.missing} />],
          ["Late", <Count key="late" of={window.late} />],
          ["Conflicts", <Count key="conflicts" of={window.conflicts} />],
          ["Decided", <Instant key="decided" at={window.decided_at} />],
        ]}
      />
    </Section>
  );
}

function Compare({ compare }: Pick<WindowDetail, "compare">) {
  if (compare === null) {
    return (
      <Section title="Reporter's book beside the monitor's">
        <p class="empty">The window has no reporter here to compare with.</p>
      </Section>
    );
  }
  const agrees = compare.came_without_being_sent + compare.sent_without_coming === 0;
  return (
    <Section title="Reporter's book beside the monitor's">
      <p>
        <State state={agrees ? "up" : "failed"} label={agrees ? "both books agree" : "the books differ"} />
      </p>
      <Facts
        facts={[
          ["Expected", <Count key="expected" of={compare.expected} />],
          ["Sent", <Count key="sent" of={compare.sent} />],
          ["Came", <Count key="came" of={compare.came} />],
          ["Left out", <Count key="omitted" of={compare.omitted} />],
          ["Stalled", <Count key="stalled" of={compare.stalled} />],
          ["Not known", <Count key="unknown" of={compare.unknown} />],
          ["Sent, did not come", <Count key="lost" of={compare.sent_without_coming} />],
          ["Came, was not sent", <Count key="odd" of={compare.came_without_being_sent} />],
        ]}
      />
    </Section>
  );
}
