import type { LetterDetail } from "../answers.js";
import { ActionButton } from "../components/action_dialog.js";
import { Facts, Json, Raw } from "../components/facts.js";
import { abandonmentOf, replayOf } from "../components/letter_actions.js";
import { Links } from "../components/links.js";
import { Page, Section } from "../components/page.js";
import { Show } from "../components/states.js";
import { Id, Instant, text } from "../components/value.js";
import { linksOf } from "../lib/letter_links.js";
import { bytesText, counted } from "../lib/text.js";
import { useAnswer } from "../state/answer.js";
import type { PageProps } from "./page_props.js";

export function LetterPage({ params }: PageProps) {
  const [queue, id] = [params["name"] ?? "", params["id"] ?? ""];
  const answer = useAnswer<LetterDetail>(
    `queues/${encodeURIComponent(queue)}/letters/${encodeURIComponent(id)}`,
  );
  const one = { queue, selection: { id } };
  return (
    <Page title={`Dead letter ${id}`} answer={answer}>
      <Show answer={answer}>
        {(detail) => (
          <div class="parts">
            <Section
              title="Letter"
              tools={
                <>
                  <ActionButton action={replayOf(one)} />
                  <ActionButton action={abandonmentOf(one)} />
                </>
              }
            >
              <LetterFacts queue={queue} {...detail} />
            </Section>
            <Links links={linksOf({ event: detail.letter.event, body: detail.body })} />
            <Section title="Body">
              <Raw text={detail.body} label="Body of the letter" />
              {detail.cut && <p class="quiet">It is longer; its end is not shown.</p>}
            </Section>
            <Section title="Properties and headers">
              <Json
                of={{ properties: detail.properties, headers: detail.headers }}
                label="Properties and headers"
              />
            </Section>
          </div>
        )}
      </Show>
    </Page>
  );
}

function replaysText(replays: LetterDetail["replays"]) {
  const [last] = replays ?? [];
  return last === undefined
    ? text(replays && "never")
    : `${counted(replays?.length ?? 0, "time")}, last by ${last.by}`;
}

function LetterFacts({ queue, letter, encoding, replays }: LetterDetail & { readonly queue: string }) {
  return (
    <Facts
      facts={[
        ["Lies in", <Id key="queue" kind="queue" id={queue} />],
        ["Failed in", <Id key="from" kind="queue" id={letter.from_queue} />],
        ["Event", text(letter.event)],
        ["Code", <code key="code">{letter.code}</code>],
        ["Why", letter.reason],
        ["Attempts", letter.attempts],
        ["Replayed", replaysText(replays)],
        ["First failed", <Instant key="first" at={letter.first_failed_at} />],
        ["Last failed", <Instant key="last" at={letter.last_failed_at} />],
        [
          "Trace",
          <span key="trace" class="id">
            {text(letter.trace_id)}
          </span>,
        ],
        ["Size", `${bytesText(letter.bytes)}, ${encoding}`],
      ]}
    />
  );
}
