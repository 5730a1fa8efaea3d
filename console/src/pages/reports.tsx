import type { Reports } from "../../../services/console/contracts/reports.js";
import { ActionButton } from "../components/action_dialog.js";
import { Facts } from "../components/facts.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Count, Instant } from "../components/value.js";
import { hrefOf } from "../lib/route.js";
import { useAnswer } from "../state/answer.js";

export function ReportsPage() {
  const answer = useAnswer<Reports>("reports");
  return (
    <Page title="Reports" answer={answer}>
      <Show answer={answer}>
        {(reports) => (
          <div class="parts">
            <Versions {...reports} />
            <ReadModel {...reports} />
            <History {...reports} />
            <Generations {...reports} />
          </div>
        )}
      </Show>
    </Page>
  );
}

function Versions({ versions, epoch }: Reports) {
  return (
    <Section title="Versions">
      <Table
        caption="Versions of the report"
        columns={[
          { head: "Version", cell: ({ version }) => version },
          { head: "State", cell: ({ active }) => (active ? <State state="live" label="served" /> : "ready") },
          {
            head: "Switch",
            cell: ({ version, active }) =>
              !active && (
                <ActionButton
                  action={{
                    title: `Serve the report as ${version}`,
                    subject: version,
                    count: "1 report, for all who read it",
                    consequence:
                      "The next answer has this version's shape; who pinned a version keeps theirs.",
                    verb: `Switch to ${version}`,
                    path: "reports/switch",
                    body: { version, epoch },
                  }}
                />
              ),
          },
        ]}
        rows={versions}
        keyOf={({ version }) => version}
        empty="The report has no version."
      />
    </Section>
  );
}

function ReadModel({ active, epoch, generation, position, applied_at, parked }: Reports) {
  return (
    <Section title="Read model">
      <Facts
        facts={[
          ["Served", active],
          ["Switches so far", epoch],
          ["Generation", generation],
          [
            "Newest event in it",
            <span key="position" class="num">
              {position}
            </span>,
          ],
          ["Applied", <Instant key="applied" at={applied_at} />],
          [
            "Sums of",
            <span key="of" class="tools">
              <a href={hrefOf(["payouts"])}>payouts</a> <a href={hrefOf(["campaigns"])}>campaigns</a>
            </span>,
          ],
          ["Payouts in no sum", <Count key="parked" of={parked} />],
        ]}
      />
    </Section>
  );
}

function History({ history }: Reports) {
  return (
    <Section title="Switches">
      <Table
        caption="Switches of the version, newest first"
        columns={[
          { head: "Switch", cell: ({ epoch }) => epoch },
          { head: "Version", cell: ({ version }) => version },
          { head: "Generation", cell: ({ generation }) => generation },
          { head: "By", cell: ({ by }) => by },
          { head: "At", cell: ({ at }) => <Instant at={at} /> },
        ]}
        rows={history}
        keyOf={({ epoch }) => String(epoch)}
        empty="The version was never switched."
      />
    </Section>
  );
}

function Generations({ generations }: Reports) {
  return (
    <Section title="Generations">
      <Table
        caption="Generations of the read model"
        columns={[
          { head: "Generation", cell: ({ generation }) => generation },
          { head: "State", cell: ({ state }) => <State state={state} /> },
          {
            head: "Newest event in it",
            cell: ({ position }) => <span class="num">{position}</span>,
            numeric: true,
          },
          { head: "Changed", cell: ({ changed_at }) => <Instant at={changed_at} /> },
        ]}
        rows={generations}
        keyOf={({ generation }) => String(generation)}
        empty="The read model was not built yet."
      />
    </Section>
  );
}
