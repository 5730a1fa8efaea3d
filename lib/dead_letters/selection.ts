import type { DeadLetter } from "../broker/dead_letter.js";
import type { DeadLetters } from "../broker/dead_letters.js";
import { CoreError } from "../core_errors.js";

/** Which letters are meant: one id, one error code, or all. */
export interface Selection {
  readonly id?: string;
  readonly code?: string;
  /** No more than so many, oldest first. Default: all. */
  readonly most?: number;
}

/** @throws PlatformError DEAD_LETTER_SELECTION unless exactly one way to select was used. */
export function selectionOf(
  id: string | undefined,
  { reason, all }: { readonly reason?: string; readonly all?: boolean },
): Selection {
  const ways: Selection[] = [
    ...(id === undefined ? [] : [{ id }]),
    ...(reason === undefined ? [] : [{ code: reason }]),
    ...(all === true ? [{}] : []),
  ];
  const [selection, second] = ways;
  if (selection === undefined || second !== undefined) {
    throw new CoreError("DEAD_LETTER_SELECTION", "Which dead letters are meant?", {
      hint: "Give one of an ID, --reason CODE or --all; payments dlq list shows what there is.",
    });
  }
  return selection;
}

/**
 * The selected letters of each window that has some.
 *
 * @param stopped what the user is told who has stopped it.
 * @throws PlatformError INTERRUPTED; DEAD_LETTER_UNKNOWN at the end when there is none of that id.
 */
export async function* selectedWindows(
  letters: DeadLetters,
  { id, code, most = Number.POSITIVE_INFINITY }: Selection,
  stopped: () => string | undefined,
): AsyncGenerator<readonly DeadLetter[], void, undefined> {
  let found = 0;
  for await (const window of letters.windows()) {
    const message = stopped();
    if (message !== undefined) {
      throw new CoreError("INTERRUPTED", message);
    }
    const selected = window
      .filter(
        (letter) => (id === undefined || letter.id === id) && (code === undefined || letter.code === code),
      )
      .slice(0, most - found);
    found += selected.length;
    if (selected.length > 0) {
      yield selected;
    }
    if (found >= most) {
      return;
    }
  }
  if (id !== undefined && found === 0) {
    throw new CoreError("DEAD_LETTER_UNKNOWN", `No dead letter has the id "${id}".`, {
      hint: "payments dlq list shows what there is.",
    });
  }
}
