import type { Letter } from "../../../services/console/contracts/queues.js";
import type { LetterList } from "../answers.js";
import { ActionButton } from "../components/action_dialog.js";
import { Bars, sharesOf } from "../components/bars.js";
import { Facts } from "../components/facts.js";
import { abandonmentOf, replayOf } from "../components/letter_actions.js";
import { Items } from "../components/list_page.js";
import { Page, Section } from "../components/page.js";
import { Failure, Show } from "../components/states.js";
import type { Column } from "../components/table.js";
import { Count, Id, Instant, LetterId } from "../components/value.js";
import { queryText } from "../lib/api.js";
import { hrefOf, type Texts } from "../lib/route.js";
import { counted, grouped } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import { useQueues } from "../state/queues.js";
import type { PageProps } from "./page_props.js";

/** A queue; of dead letters what lies in it, and what may be done about it. */
export function QueuePage({ params, query }: PageProps) {
  const name = params["name"] ?? "";
  const answer = useQueues();
  const queue = answer.data?.items?.find((each) => each.name === name);
  const holdsLetters = queue === undefined || queue.kind === "dead_letters";
  return (
    <Page title={`Queue ${name}`} answer={answer}>
      <div class="parts">
        {answer.error && <Failure error={answer.error} retry={answer.reload} />}
        <Section title="Queue">
          {queue === undefined ? (
            <p class="empty">RabbitMQ has told nothing of it.</p>
          ) : (
            <Facts
              facts={[
                ["Module", queue.module],
                ["Messages", <Count key="messages" of={queue.messages} />],
                ["Consumers", <Count key="consumers" of={queue.consumers} />],
              ]}
            />
          )}
        </Section>
        {holdsLetters && answer.data !== undefined && <LettersOf queue={name} query={query} />}
      </div>
    </Page>
  );
}

function LettersOf({ queue, query }: { readonly queue: string; readonly query: Texts }) {
  const { code, cursor } = query;
  const answer = useAnswer<LetterList>(
    `queues/${encodeURIComponent(queue)}/letters${queryText({ code, cursor })}`,
  );
  return (
    <Section title="Dead letters">
      <Show answer={answer}>
        {(list) => (
          <>
            <Codes queue={queue} list={list} code={code} />
            <Items
              query={query}
              filters={[{ name: "code", label: "Code" }]}
              caption="Dead letters, oldest first"
              columns={columnsOf(queue)}
              keyOf={({ id }) => id}
              empty="No dead letter lies here."
              list={list}
            />
          </>
        )}
      </Show>
    </Section>
  );
}

/** How many of each code, and what may be done with all that is shown. */
function Codes(props: {
  readonly queue: string;
  readonly list: LetterList;
  readonly code: string | undefined;
}) {
  const { queue, code, list } = props;
  if (list.total === 0) {
    return null;
  }
  const shares = sharesOf(list.codes.map(({ letters }) => letters));
  const some = { queue, selection: code === undefined ? ({ all: true } as const) : { code } };
  const looked = list.codes.reduce((sum, { letters }) => sum + letters, 0);
  return (
    <>
      <Bars
        label="Dead letters by code"
        bars={list.codes.map((each, index) => ({
          key: each.code,
          label: <a href={hrefOf(["queues", queue], { code: each.code })}>{each.code}</a>,
          share: shares[index] ?? 0,
          value: counted(each.letters, "letter"),
        }))}
      />
      {looked < list.total && (
        <p class="quiet">
          Of the oldest {grouped(looked)}: {grouped(list.total)} lie in the queue.
        </p>
      )}
      <div class="buttons">
        <ActionButton action={replayOf(some)}>
          {code === undefined ? "Replay all" : `Replay those with ${code}`}
        </ActionButton>
        <ActionButton action={abandonmentOf(some)}>
          {code === undefined ? "Abandon all" : `Abandon those with ${code}`}
        </ActionButton>
        {code !== undefined && <a href={hrefOf(["queues", queue])}>Show all codes</a>}
      </div>
    </>
  );
}

const columnsOf = (queue: string): readonly Column<Letter>[] => [
  { head: "Letter", cell: ({ id }) => <LetterId queue={queue} id={id} /> },
  { head: "Code", cell: ({ code }) => <code>{code}</code> },
  { head: "Why", cell: ({ reason }) => reason },
  { head: "Attempts", cell: ({ attempts }) => attempts, numeric: true },
  { head: "Failed in", cell: ({ from_queue }) => <Id kind="queue" id={from_queue} /> },
  { head: "Last failed", cell: ({ last_failed_at }) => <Instant at={last_failed_at} /> },
  { head: "Begins with", cell: ({ preview }) => <code class="preview-text free">{preview}</code> },
];
