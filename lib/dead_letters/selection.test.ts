import { expect, it } from "vitest";
import type { DeadLetters } from "../broker/dead_letters.js";
import { codeOf } from "../errors.js";
import { type Selection, selectedWindows } from "./selection.js";

const WINDOWS = [
  [
    { id: "1", code: "A" },
    { id: "2", code: "B" },
  ],
  [
    { id: "3", code: "A" },
    { id: "4", code: "A" },
  ],
  [{ id: "5", code: "A" }],
];

async function idsOf(selection: Selection) {
  let windows = 0;
  const letters = {
    async *windows() {
      for (const window of WINDOWS) {
        windows += 1;
        yield window;
      }
    },
  } as unknown as DeadLetters;
  const ids: string[] = [];
  for await (const selected of selectedWindows(letters, selection, () => undefined)) {
    ids.push(...selected.map(({ id }) => id));
  }
  return [ids.join(""), windows];
}

it.each<[Selection, string, number]>([
  [{}, "12345", 3],
  [{ code: "A" }, "1345", 3],
  [{ id: "4" }, "4", 3],
  [{ most: 3 }, "123", 2],
  [{ code: "A", most: 2 }, "13", 2],
  [{ id: "2", most: 1 }, "2", 1],
  [{ most: 9 }, "12345", 3],
])("%j selects %s of %i windows", async (selection, ids, windows) => {
  expect(await idsOf(selection)).toEqual([ids, windows]);
});

it("a letter that is not there is unknown", async () => {
  expect(await idsOf({ id: "6" }).catch(codeOf)).toBe("DEAD_LETTER_UNKNOWN");
});
