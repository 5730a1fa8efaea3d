import type { Backups } from "../answers.js";
import { Facts } from "../components/facts.js";
import { Page, Section } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { Table } from "../components/table.js";
import { Count, Instant, text } from "../components/value.js";
import { bytesText, durationText } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";

export function BackupsPage() {
  const answer = useAnswer<Backups>("backups");
  return (
    <Page title="Backups" answer={answer}>
      <Show answer={answer}>
        {(all) => (
          <div class="parts">
            <Section title="Recovery to a point in time">
              <Facts
                facts={[
                  ["Log archived", <Instant key="wal" at={all.wal_archived_at} />],
                  ["Failures of it", <Count key="failures" of={all.wal_failures} />],
                ]}
              />
            </Section>
            <Dumps {...all} />
            <Drills {...all} />
          </div>
        )}
      </Show>
    </Page>
  );
}

const KINDS = { dump: "dump", base: "whole cluster" } as const;
const sizeText = (bytes: string | null) => (bytes === null ? text(null) : bytesText(Number(bytes)));
const tookText = (ms: number | null) => (ms === null ? text(null) : durationText(ms / 1_000));

function Dumps({ backups }: Backups) {
  return (
    <Section title="Backups">
      <Table
        caption="Backups, newest first"
        columns={[
          { head: "Backup", cell: ({ id }) => <span class="id">{id}</span> },
          { head: "Kind", cell: ({ kind }) => KINDS[kind] },
          { head: "State", cell: ({ state }) => <State state={state} /> },
          { head: "Rows", cell: ({ rows }) => <Count of={rows} />, numeric: true },
          { head: "Size", cell: ({ bytes }) => sizeText(bytes), numeric: true },
          { head: "Finished", cell: ({ finished_at }) => <Instant at={finished_at} /> },
          { head: "Failure", cell: ({ failure }) => text(failure) },
        ]}
        rows={backups}
        keyOf={({ id }) => id}
        empty={
          <>
            No backup was made yet. <code>scripts/stack.sh backups on</code> makes them from now on.
          </>
        }
      />
    </Section>
  );
}

function Drills({ drills }: Backups) {
  return (
    <Section title="Drills: backups that were restored and compared">
      <Table
        caption="Drills, newest first"
        columns={[
          { head: "Backup", cell: ({ backup_id }) => <span class="id">{backup_id}</span> },
          { head: "State", cell: ({ state }) => <State state={state} /> },
          { head: "Into", cell: ({ place }) => place },
          { head: "Restored in", cell: ({ restore_ms }) => tookText(restore_ms), numeric: true },
          { head: "Compared in", cell: ({ verify_ms }) => tookText(verify_ms), numeric: true },
          { head: "Differences", cell: ({ differences }) => <Count of={differences} />, numeric: true },
          { head: "Finished", cell: ({ finished_at }) => <Instant at={finished_at} /> },
          { head: "Failure", cell: ({ failure }) => text(failure) },
        ]}
        rows={drills}
        keyOf={({ id }) => id}
        empty="No backup was restored to try it yet."
      />
    </Section>
  );
}
