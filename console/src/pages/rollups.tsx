import type { Rollups } from "../../../services/console/contracts/data.js";
import { Bars, sharesOf } from "../components/bars.js";
import { Chart } from "../components/chart.js";
import { Filters } from "../components/filters.js";
import { Section } from "../components/page.js";
import { Show } from "../components/states.js";
import { type Column, Table } from "../components/table.js";
import { Count, Money, None } from "../components/value.js";
import { queryText } from "../lib/api.js";
import type { Texts } from "../lib/route.js";
import { counted, shareText, words } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import { Shapes } from "./shapes.js";

type Group = Rollups["groups"][number];

const BY: readonly Rollups["by"][] = [
  "day",
  "network",
  "channel",
  "currency",
  "country",
  "category",
  "decline_reason",
];
/** Beside them: no roll-up, but read from the month's rows. */
const SHAPES = "shapes";
/** A group's volume is in many currencies: the first ones say most of it. */
const SHOWN_CURRENCIES = 2;

/** A month's volume, approval and fraud by what the reader chooses, or its shapes. */
export function RollupsPart({
  months,
  query,
}: {
  readonly months: readonly string[];
  readonly query: Texts;
}) {
  const month = query["month"] ?? months.at(-1) ?? "";
  const by = query["by"] ?? "day";
  return (
    <Section title={by === SHAPES ? `${month} beside published shapes` : `${month} by ${words(by)}`}>
      <Filters
        filters={[
          { name: "month", label: "Month", values: months, otherwise: month },
          { name: "by", label: "By", values: [...BY, SHAPES], otherwise: by },
        ]}
      />
      {by === SHAPES ? <Shapes month={month} /> : <RolledUp month={month} by={by} />}
    </Section>
  );
}

function RolledUp({ month, by }: { readonly month: string; readonly by: string }) {
  const answer = useAnswer<Rollups>(`data/rollups${queryText({ month, by })}`);
  return (
    <Show answer={answer}>
      {(rollups) => (
        <>
          {rollups.by === "day" ? <Days groups={rollups.groups} /> : <Groups {...rollups} />}
          {rollups.sampled !== null && (
            <p class="quiet">Of decline reasons {shareText(rollups.sampled)} of the month was looked at.</p>
          )}
          <Table
            caption={`Transactions by ${words(rollups.by)}`}
            columns={rollups.by === "decline_reason" ? OF_SAMPLE : COLUMNS}
            rows={rollups.groups}
            keyOf={({ group }) => group}
            empty="The month has no transactions."
          />
          {rollups.more > 0 && <p class="quiet">{counted(rollups.more, "smaller group")} left out.</p>}
        </>
      )}
    </Show>
  );
}

function Days({ groups }: { readonly groups: readonly Group[] }) {
  const times = groups.map(({ group }) => Date.parse(group) / 1_000);
  return (
    <div class="charts">
      <Chart
        title="Transactions a day"
        times={times}
        series={[{ label: "transactions", values: groups.map(({ transactions }) => transactions) }]}
      />
      <Chart
        title="Approved and fraud"
        times={times}
        series={[
          {
            label: "approved",
            values: groups.map(({ approved, transactions }) => shareOf(approved, transactions)),
          },
          { label: "fraud", values: groups.map(({ fraud, transactions }) => shareOf(fraud, transactions)) },
        ]}
        format={shareText}
      />
    </div>
  );
}

function Groups({ by, groups }: Rollups) {
  const shares = sharesOf(groups.map(({ transactions }) => transactions));
  return (
    <Bars
      label={by === "decline_reason" ? "In the sample" : "Transactions"}
      bars={groups.slice(0, 12).map(({ group, transactions, approved, fraud }, index) => ({
        key: group,
        label: group,
        share: shares[index] ?? 0,
        value: (
          <>
            <Count of={transactions} />
            {approved !== null && `, ${shareText(shareOf(approved, transactions) ?? 0)} approved`}
            {fraud !== null && `, ${shareText(shareOf(fraud, transactions) ?? 0)} fraud`}
          </>
        ),
      }))}
    />
  );
}

const shareOf = (part: number | null, whole: number) => (part === null || whole === 0 ? null : part / whole);

const COLUMNS: readonly Column<Group>[] = [
  { head: "Group", cell: ({ group }) => group },
  { head: "Transactions", cell: ({ transactions }) => <Count of={transactions} />, numeric: true },
  {
    head: "Approved",
    cell: ({ approved, transactions }) => shareCell(approved, transactions),
    numeric: true,
  },
  { head: "Fraud", cell: ({ fraud, transactions }) => shareCell(fraud, transactions), numeric: true },
  { head: "Volume", cell: Volume, numeric: true },
];

/** Why transactions were declined no roll-up has: they are counted in a part of the month. */
const OF_SAMPLE: readonly Column<Group>[] = [
  { head: "Group", cell: ({ group }) => group },
  { head: "In the sample", cell: ({ transactions }) => <Count of={transactions} />, numeric: true },
];

function shareCell(part: number | null, whole: number) {
  const share = shareOf(part, whole);
  return share === null ? <None /> : shareText(share);
}

function Volume({ volume }: Group) {
  const more = volume.length - SHOWN_CURRENCIES;
  return (
    <span class="volume">
      {volume.slice(0, SHOWN_CURRENCIES).map(({ currency, amount }) => (
        <Money key={currency} amount={amount} currency={currency} />
      ))}
      {more > 0 && <span class="quiet">{more} more</span>}
    </span>
  );
}
