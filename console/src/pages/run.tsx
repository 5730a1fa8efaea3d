import type { RunDetail } from "../answers.js";
import { ActionButton } from "../components/action_dialog.js";
import { Bars, Progress } from "../components/bars.js";
import { Facts } from "../components/facts.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Count, Id, Instant, LetterId, text } from "../components/value.js";
import { counted, durationText, grouped, measureText, shareText } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import { liveness } from "../state/live.js";
import type { PageProps } from "./page_props.js";

const POLL_MS = 3_000;
/** Where the pipeline's dead letters lie. */
const LETTERS = "etl_queue.dlq";

export function RunPage({ params }: PageProps) {
  const id = params["run"] ?? "";
  const path = `runs/${encodeURIComponent(id)}`;
  const answer = useAnswer<RunDetail>(path, (detail) =>
    liveness.value !== "paused" && isUnderWay(detail) ? POLL_MS : undefined,
  );
  return (
    <Page title={`Run ${id}`} answer={answer}>
      <Show answer={answer}>
        {(run) => (
          <div class="parts">
            <Whole run={run} />
            <MonthsOf run={run} />
            <Steps run={run} />
            <Failures run={run} />
          </div>
        )}
      </Show>
    </Page>
  );
}

const isUnderWay = ({ state }: RunDetail) => state === "planned" || state === "running";

interface OfRun {
  readonly run: RunDetail;
}

function Whole({ run }: OfRun) {
  const underWay = isUnderWay(run);
  return (
    <Section title="The run" tools={<Actions run={run} />}>
      <Progress label={`Done of ${run.run}`} share={run.share} {...(underWay ? { etaS: run.eta_s } : {})} />
      <Facts
        facts={[
          ["State", <State key="state" state={run.state} />],
          ["Rows", <Count key="rows" of={run.rows} />],
          ["Accepted", <Count key="accepted" of={run.accepted} />],
          ["of these repaired", <Count key="repaired" of={run.repaired} />],
          ["Rejected", <Count key="rejected" of={run.rejected} />],
          ["Rows/s", measureText(run.rows_per_s)],
          ["Chunks", chunksText(run)],
          ["Took", durationText(run.elapsed_s)],
          ["Last step", underWay ? `${durationText(run.idle_s)} ago` : "done"],
          ["Days", `${run.from} until ${run.to}`],
          ["Seed", run.seed],
          ["Dirt", shareText(run.dirt_rate)],
          ["Fraud", `${shareText(run.fraud_rate)}, ${run.fraud_difficulty} to find`],
          ["Created", <Instant key="created" at={run.created_at} />],
          ["Finished", <Instant key="finished" at={run.finished_at} />],
        ]}
      />
    </Section>
  );
}

const chunksText = ({ chunks: { total, staged, cleaned } }: RunDetail) =>
  `${grouped(staged)} staged, ${grouped(cleaned)} cleaned of ${grouped(total)}`;

function Actions({ run }: OfRun) {
  const of = {
    subject: run.run,
    body: {},
    count: `${counted(run.rows, "row")}, ${counted(run.months_total, "month")}`,
  };
  const path = `runs/${encodeURIComponent(run.run)}`;
  const verify = (
    <ActionButton
      action={{
        ...of,
        title: `Verify run ${run.run}`,
        consequence: "It compares every row and sum with what the run promised, and changes nothing.",
        verb: "Verify",
        path: `${path}/verify`,
      }}
    />
  );
  if (!isUnderWay(run)) {
    return run.state === "done" ? verify : null;
  }
  return (
    <>
      <ActionButton
        action={{
          ...of,
          title: `Resume run ${run.run}`,
          consequence: "It sends again what the run waits for; what is done is not done twice.",
          verb: "Resume",
          path: `${path}/resume`,
        }}
      />
      <ActionButton
        action={{
          ...of,
          title: `Cancel run ${run.run}`,
          consequence: "It ends the run for good and takes back the months that it has not published.",
          verb: "Cancel the run",
          path: `${path}/cancel`,
          danger: true,
        }}
      />
    </>
  );
}

function MonthsOf({ run }: OfRun) {
  return (
    <Section title="Months">
      <Bars
        label="Chunks done, by month"
        bars={run.months.map(({ month, chunks_done, chunks_total, state, rows }) => ({
          key: month,
          label: <Id kind="month" id={month} />,
          share: chunks_total === 0 ? 1 : chunks_done / chunks_total,
          value: `${state}, ${grouped(chunks_done)} of ${grouped(chunks_total)} chunks, ${counted(rows, "row")}`,
        }))}
      />
    </Section>
  );
}

function Steps({ run }: OfRun) {
  return (
    <Section title="Steps">
      <Table
        caption="Steps of the run"
        columns={[
          { head: "Step", cell: ({ step }) => step },
          { head: "Rows", cell: ({ rows_done }) => <Count of={rows_done} />, numeric: true },
          { head: "Busy", cell: ({ busy_s }) => durationText(busy_s), numeric: true },
          {
            head: "Rows/s while busy",
            cell: ({ rows_per_s }) => (rows_per_s === null ? text(null) : measureText(rows_per_s)),
            numeric: true,
          },
        ]}
        rows={run.steps}
        keyOf={({ step }) => step}
        empty="Nothing is done yet."
      />
    </Section>
  );
}

function Failures({ run }: OfRun) {
  return (
    <Section title="Failures">
      <Table
        caption="Steps that failed and that the run still waits for"
        columns={[
          {
            head: "Step",
            cell: ({ step, chunk, month }) =>
              [step, chunk ?? month].filter((part) => part !== null).join(" "),
          },
          { head: "Code", cell: ({ code }) => <code>{code}</code> },
          { head: "Why", cell: ({ reason }) => reason },
          { head: "Attempts", cell: ({ attempts }) => attempts, numeric: true },
          {
            head: "Dead letter",
            cell: ({ message_id }) =>
              message_id === null ? text(null) : <LetterId queue={LETTERS} id={message_id} />,
          },
          { head: "Failed", cell: ({ failed_at }) => <Instant at={failed_at} /> },
        ]}
        rows={run.failures}
        keyOf={({ step, chunk, month, failed_at }) => `${step} ${chunk} ${month} ${failed_at}`}
        empty="Nothing that it waits for has failed."
      />
    </Section>
  );
}
