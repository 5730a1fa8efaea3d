import { describe, expect, it } from "vitest";
import { understoodOf } from "./arrival.js";
import { changesOf } from "./changes.js";
import { unprocessed } from "./domain/normalise.js";
import type { FormerEvent } from "./store/stored_event.js";
import { type Taken, takenOf } from "./store/text.js";

const receivedAt = new Date("2026-01-02T00:00:00Z");
const { body } = understoodOf({ raw: { value: {} }, source: "api", receivedAt }, []);
const own = { ...body, id: "b" };

/** An event that is nothing but its key. */
const taken = (key: string | null): Taken =>
  takenOf({ ...unprocessed("UNRECOGNISED", "none", "p"), dedupKey: key });
const former = (place: number, key: string | null, repeats: string | null = null): FormerEvent => ({
  ...taken(key),
  ...{ id: `e${place}`, bodyId: "b", place, receivedAt, latencyMs: 0, repeats },
  ...{ amountUsd: null, fxDay: null, amountUsdNow: null, fxDayNow: null },
});
const changes = (events: readonly FormerEvent[], keys: readonly (string | null)[], repeating = false) =>
  changesOf([{ body: own, taken: keys.map(taken) }], events, { repeating }).map(
    ({ place, before, after }) => [place, before?.id, after.dedupKey],
  );

describe("what a body comes to", () => {
  it.each<[string, readonly FormerEvent[], readonly (string | null)[], unknown]>([
    ["the same", [former(0, null), former(1, "y")], [null, "y"], []],
    [
      "more of the first: the second stays",
      [former(0, null), former(1, "y")],
      ["x1", "x2", "y"],
      [
        [0, "e0", "x1"],
        [2, undefined, "x2"],
      ],
    ],
    [
      "the same again, in another order than their places",
      [former(0, "x1"), former(1, "y"), former(2, "x2")],
      ["x1", "x2", "y"],
      [],
    ],
    [
      "more where none has a key: none vanishes",
      [former(0, null), former(1, null)],
      [null, null, null],
      [[2, undefined, null]],
    ],
    ["one whose neighbour was a repeat", [former(1, "y")], ["a", "y"], [[2, undefined, "a"]]],
    [
      "other keys, where the first was a repeat",
      [former(1, "y")],
      ["a2", "y2"],
      [
        [2, undefined, "a2"],
        [1, "e1", "y2"],
      ],
    ],
    ["a key twice", [former(0, "x"), former(1, "x", "e0")], ["x", "x"], []],
    ["fewer", [former(0, "x"), former(1, "y")], ["y"], []],
  ])("%s", (_, events, keys, expected) => {
    expect(changes(events, keys)).toEqual(expected);
  });

  it("is looked at in any case where it repeats an event that has another key now", () => {
    expect(changes([former(0, "x", "other")], ["x"])).toEqual([]);
    expect(changes([former(0, "x", "other")], ["x"], true)).toEqual([[0, "e0", "x"]]);
  });
});
