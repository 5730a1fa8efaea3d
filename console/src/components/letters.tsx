import type { RecordedLetter } from "../answers.js";
import { Section } from "./page.js";
import { Table } from "./table.js";
import { Id, Instant, LetterId, text } from "./value.js";

/** Dead letters of a trace, those that were dealt with too. */
export function Letters({ letters }: { readonly letters: readonly RecordedLetter[] }) {
  return (
    <Section title="Dead letters">
      <Table
        caption="Dead letters of its trace"
        columns={[
          { head: "Letter", cell: letterOf },
          { head: "Queue", cell: ({ queue }) => <Id kind="queue" id={queue} /> },
          { head: "Event", cell: ({ event }) => (event === null ? text(null) : <code>{event}</code>) },
          { head: "Consumer", cell: ({ consumer }) => consumer },
          { head: "Code", cell: ({ last_code }) => <code>{last_code}</code> },
          { head: "Attempts", cell: ({ attempts }) => attempts, numeric: true },
          { head: "Recorded", cell: ({ recorded_at }) => <Instant at={recorded_at} /> },
          { head: "Since then", cell: ({ done }) => (done === null ? "waits" : DONE[done]) },
        ]}
        rows={letters}
        keyOf={({ message_id, queue, recorded_at }) => `${queue} ${message_id} ${recorded_at}`}
        empty="Nothing of it became a dead letter."
      />
    </Section>
  );
}
const DONE = { replay: "replayed", purge: "abandoned" } as const;

/** One that was dealt with lies in no queue any more. */
function letterOf({ queue, message_id, done }: RecordedLetter) {
  return message_id !== null && done === null ? (
    <LetterId queue={queue} id={message_id} />
  ) : (
    <span class="id">{text(message_id)}</span>
  );
}
