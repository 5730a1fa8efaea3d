import type { LetterPreview } from "../answers.js";
import { counted, grouped } from "../lib/text.js";
import type { DryRun, OfferedAction } from "../state/action.js";
import { Facts } from "./facts.js";
import { Table } from "./table.js";

/** Which letters of a queue are meant. */
export type Selection = { readonly id: string } | { readonly code: string } | { readonly all: true };

interface Letters {
  readonly queue: string;
  readonly selection: Selection;
}

/** Letters go back to the consumer that failed. */
export function replayOf(letters: Letters): OfferedAction {
  return {
    title: `Replay ${wordsOf(letters)}`,
    consequence: "Each goes back to the consumer that failed, with its attempts begun anew.",
    verb: "Replay",
    path: "letters/replay",
    ...askedOf(letters, showForecasts),
  };
}

/** Letters are deleted for good. */
export function abandonmentOf(letters: Letters): OfferedAction {
  return {
    title: `Abandon ${wordsOf(letters)}`,
    consequence: "They are deleted for good: what they would have caused never happens.",
    verb: "Abandon",
    path: "letters/abandon",
    danger: true,
    ...askedOf(letters, showSelected),
  };
}

function wordsOf({ queue, selection }: Letters): string {
  if ("id" in selection) {
    return `dead letter ${selection.id} of ${queue}`;
  }
  return "code" in selection
    ? `dead letters of ${queue} with code ${selection.code}`
    : `all dead letters of ${queue}`;
}

/** How many they are the server alone knows: the page has seen the oldest thousand at most. */
function askedOf({ queue, selection }: Letters, show: DryRun["show"]) {
  const body = { queue, ...selection };
  const countOf = (answer: unknown) => (answer as LetterPreview).selected;
  return {
    subject: queue,
    count: "id" in selection ? "1 letter" : "as many as the dry run finds",
    body,
    dryRun: { path: "letters/preview", body, show, countOf },
  };
}

function showSelected(answer: unknown) {
  const { selected, total } = answer as LetterPreview;
  return (
    <p>
      <strong>{grouped(selected)}</strong> of {counted(total, "letter")} in the queue are meant.
    </p>
  );
}

function showForecasts(answer: unknown) {
  const { forecasts } = answer as LetterPreview;
  if (forecasts === null) {
    return (
      <>
        {showSelected(answer)}
        <p class="quiet">What a replay would come to cannot be told of this queue.</p>
      </>
    );
  }
  const kinds = new Map<string, number>();
  for (const { kind } of forecasts) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return (
    <>
      {showSelected(answer)}
      <Facts facts={[...kinds].map(([kind, count]) => [kind, grouped(count)])} />
      <Table
        caption="What each of the first letters would come to"
        columns={[
          { head: "Letter", cell: ({ id }) => <span class="id">{id}</span> },
          { head: "Would", cell: ({ kind }) => kind },
          { head: "Why", cell: ({ why }) => why },
        ]}
        rows={forecasts}
        keyOf={({ id }) => id}
        empty="No letter is meant."
      />
    </>
  );
}
