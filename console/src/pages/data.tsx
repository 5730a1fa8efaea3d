import type { Months } from "../answers.js";
import { ActionButton } from "../components/action_dialog.js";
import { Bars, sharesOf } from "../components/bars.js";
import { Page, Section } from "../components/page.js";
import { Empty, Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Count, Id, Instant } from "../components/value.js";
import { bytesText, counted } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";
import { RollupsPart } from "./rollups.js";

export function DataPage({ query }: PageProps) {
  const answer = useAnswer<Months>("data/months");
  return (
    <Page title="Data" answer={answer}>
      <Show answer={answer}>
        {(months) =>
          months.items.length === 0 ? (
            <Empty>
              No month is published yet. <a href="#/runs">A run</a> publishes some.
            </Empty>
          ) : (
            <div class="parts">
              <MonthsPart months={months} />
              <RollupsPart months={months.items.map(({ month }) => month)} query={query} />
            </div>
          )
        }
      </Show>
    </Page>
  );
}

function MonthsPart({ months }: { readonly months: Months }) {
  const { items, rows, bytes } = months;
  const shares = sharesOf(items.map((month) => month.rows));
  return (
    <Section title={`${counted(rows, "row")} in ${counted(items.length, "month")}, ${sizeText(bytes)}`}>
      <Bars
        label="Rows by month"
        bars={items.map(({ month, rows: count }, index) => ({
          key: month,
          label: <Id kind="month" id={month} />,
          share: shares[index] ?? 0,
          value: <Count of={count} />,
        }))}
      />
      <Table
        caption="Published months"
        columns={[
          { head: "Month", cell: ({ month }) => <Id kind="month" id={month} /> },
          { head: "Rows", cell: ({ rows: count }) => <Count of={count} />, numeric: true },
          { head: "On disk", cell: (month) => sizeText(month.bytes), numeric: true },
          { head: "Runs", cell: Runs },
          { head: "Published", cell: ({ published_at }) => <Instant at={published_at} /> },
          { head: "If it is damaged", cell: Heal },
        ]}
        rows={items}
        keyOf={({ month }) => month}
        empty="No month is published yet."
      />
    </Section>
  );
}

function Runs({ runs }: Months["items"][number]) {
  return (
    <span class="tools">
      {runs.map((run) => (
        <Id key={run} kind="run" id={run} />
      ))}
    </span>
  );
}

/** A size is for the eye: its text may be longer than a number is exact. */
const sizeText = (bytes: string) => bytesText(Number(bytes));

function Heal({ month, rows, runs }: Months["items"][number]) {
  return (
    <ActionButton
      action={{
        title: `Heal month ${month}`,
        subject: month,
        count: `${counted(rows, "row")} of ${counted(runs.length, "run")}`,
        consequence:
          "It makes the month again from what its runs promised, and swaps it in: readers wait for some seconds at its end.",
        verb: "Heal",
        path: `months/${month}/heal`,
        body: {},
      }}
    />
  );
}
