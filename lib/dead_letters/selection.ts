import type { DeadLetter } from "../broker/dead_letter.js";
import { CoreError } from "../core_errors.js";
import type { PlatformError } from "../errors.js";

/** Which letters are meant. */
export type Selection =
  | { readonly kind: "all" }
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "code"; readonly code: string };

/** @throws PlatformError DEAD_LETTER_SELECTION unless exactly one way to select was used. */
export function selectionOf(
  id: string | undefined,
  options: { readonly reason?: string; readonly all?: boolean },
): Selection {
  const ways: Selection[] = [
    ...(id === undefined ? [] : [{ kind: "id", id } as const]),
    ...(options.reason === undefined ? [] : [{ kind: "code", code: options.reason } as const]),
    ...(options.all === true ? [{ kind: "all" } as const] : []),
  ];
  const [selection, second] = ways;
  if (selection === undefined || second !== undefined) {
    throw new CoreError("DEAD_LETTER_SELECTION", "Which dead letters are meant?", {
      hint: "Give one of an ID, --reason CODE or --all; payments dlq list shows what there is.",
    });
  }
  return selection;
}

export function matches(selection: Selection, letter: DeadLetter): boolean {
  switch (selection.kind) {
    case "all":
      return true;
    case "id":
      return letter.id === selection.id;
    case "code":
      return letter.code === selection.code;
  }
}

export function unknownLetter(id: string): PlatformError {
  return new CoreError("DEAD_LETTER_UNKNOWN", `No dead letter has the id "${id}".`, {
    hint: "payments dlq list shows what there is.",
  });
}
