import type { LetterPreview } from "../answers.js";
import { counted, grouped } from "../lib/text.js";
import type { Deed } from "../state/deed.js";
import { Facts } from "./facts.js";
import { Table } from "./table.js";

/** Which letters of a queue are meant. */
export type Selection = { readonly id: string } | { readonly code: string } | { readonly all: true };

interface Letters {
  readonly queue: string;
  readonly selection: Selection;
  /** How many that is, as far as the page knows. */
  readonly count: number;
  /** In words, after `dead letters of wallet.dlq`: ` with code X`. */
  readonly which: string;
}

/** Letters go back to the consumer that failed. */
export function replayOf({ queue, selection, count, which }: Letters): Deed {
  return {
    title: `Replay ${counted(count, "dead letter")} of ${queue}${which}`,
    subject: queue,
    count: counted(count, "letter"),
    consequence: "Each goes back to the consumer that failed, with its attempts begun anew.",
    verb: "Replay",
    path: "letters/replay",
    body: { queue, ...selection },
    dryRun: { path: "letters/preview", body: { queue, ...selection }, show: showForecasts },
  };
}

/** Letters are deleted for good. */
export function abandonmentOf({ queue, selection, count, which }: Letters): Deed {
  return {
    title: `Abandon ${counted(count, "dead letter")} of ${queue}${which}`,
    subject: queue,
    count: counted(count, "letter"),
    consequence: "They are deleted for good: what they would have caused never happens.",
    verb: "Abandon",
    path: "letters/abandon",
    body: { queue, ...selection },
    danger: true,
    dryRun: { path: "letters/preview", body: { queue, ...selection }, show: showSelected },
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
