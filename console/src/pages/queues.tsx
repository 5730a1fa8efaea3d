import type { Queue } from "../../../services/console/contracts/overview.js";
import { Page } from "../components/page.js";
import { State } from "../components/state.js";
import { Show } from "../components/states.js";
import { type Column, Table } from "../components/table.js";
import { Count, Id } from "../components/value.js";
import { grouped } from "../lib/text.js";
import { useQueues } from "../state/queues.js";

const KINDS = { work: "work", retry: "waits to be tried again", dead_letters: "dead letters" } as const;

const COLUMNS: readonly Column<Queue>[] = [
  { head: "Queue", cell: ({ name }) => <Id kind="queue" id={name} /> },
  { head: "Module", cell: ({ module }) => module },
  { head: "Kind", cell: ({ kind }) => KINDS[kind] },
  { head: "Messages", cell: Messages, numeric: true },
  { head: "Consumers", cell: Consumers, numeric: true },
];

/** Dead letters are nobody's, until somebody looks. */
function Messages({ kind, messages }: Queue) {
  return kind === "dead_letters" && messages > 0 ? (
    <State state="failed" label={grouped(messages)} />
  ) : (
    <Count of={messages} />
  );
}

/** Retries and dead letters are consumed by nobody; a work queue ought to be. */
function Consumers({ kind, consumers }: Queue) {
  return kind === "work" && consumers === 0 ? (
    <State state="failed" label="nobody" />
  ) : (
    <Count of={kind === "work" ? consumers : null} />
  );
}

export function QueuesPage() {
  const answer = useQueues();
  return (
    <Page title="Queues and dead letters" answer={answer}>
      <Show answer={answer}>
        {({ items }) =>
          items === null ? (
            <p class="empty">RabbitMQ has told nothing of its queues yet.</p>
          ) : (
            <Table
              caption="Queues, dead letters first"
              columns={COLUMNS}
              rows={[...items].sort(byKind)}
              keyOf={({ name }) => name}
              empty="There is no queue."
            />
          )
        }
      </Show>
    </Page>
  );
}

const ORDER = ["dead_letters", "work", "retry"];
/** By what never changes, so that no row moves under the pointer. */
const byKind = (a: Queue, b: Queue) =>
  ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.name.localeCompare(b.name);
