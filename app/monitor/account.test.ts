import { describe, expect, it } from "vitest";
import { accountOf, type ComparedWindow } from "./account.js";

const quiet = { isDeadLetter: () => false, queueIsEmpty: true };
const window = (more: Partial<ComparedWindow> = {}): ComparedWindow => ({
  windowUuid: "w",
  service: "payments-a",
  expected: 6,
  state: "ALERT",
  decided: 3,
  isDecided: true,
  isOver: true,
  isLongOver: false,
  declaration: "sent",
  isHeld: false,
  sent: 4,
  omitted: 1,
  stalled: 1,
  unknown: 0,
  received: 3,
  late: 1,
  held: 0,
  unaudited: [],
  unsent: [],
  unaccounted: [],
  ...more,
});
const differences = (more: Partial<ComparedWindow>, around = quiet) =>
  accountOf(window(more), around).differences;

describe("the books of a window", () => {
  it("agree when each tick is accounted for", () => {
    expect(accountOf(window(), quiet)).toMatchObject({
      missing: 3,
      inFlight: 0,
      deadLettered: 0,
      differences: [],
    });
  });

  it("name a tick whose row was deleted", () => {
    expect(differences({ omitted: 0, unaudited: [2] })).toEqual([
      "tick 2 has no row in the audit",
      "expected 6 is not 5: sent + omitted + stalled + unknown",
    ]);
  });

  it("name the report, too, where it had been sent", () => {
    expect(differences({ sent: 3, unaudited: [2], unsent: [2] })).toContain(
      "report 2 came, and was not sent by the audit",
    );
  });

  it("name a report that is nowhere, once its window is decided", () => {
    const lost = { sent: 5, omitted: 0, unaccounted: [5] };
    expect(differences(lost)).toContain("report 5 was sent, and is nowhere");
    const open = { ...lost, isDecided: false, decided: null, state: "OPEN" };
    expect(accountOf(window(open), { ...quiet, queueIsEmpty: false })).toMatchObject({
      inFlight: 1,
      differences: [],
    });
    expect(differences(open)).toContain("report 5 was sent, and is nowhere");
    expect(accountOf(window({ ...open, isOver: false }), quiet)).toMatchObject({
      inFlight: 1,
      differences: [],
    });
  });

  it("find it among the dead letters, or in somebody's hands", () => {
    const lost = { sent: 5, omitted: 0, unaccounted: [5] };
    const around = { ...quiet, isDeadLetter: (uuid: string, seq: number) => uuid === "w" && seq === 5 };
    expect(accountOf(window(lost), around)).toMatchObject({ deadLettered: 1, differences: [] });
    expect(accountOf(window({ ...lost, unaccounted: [], held: 1 }), quiet)).toMatchObject({
      inFlight: 1,
      differences: [],
    });
  });

  it("name a declaration that is gone, and a window that the monitor never heard of", () => {
    expect(differences({ declaration: null })).toEqual(["its declaration has no row in the audit"]);
    const silent = { state: null, decided: null, isDecided: false, received: 0, late: 0 };
    const omitted = { ...silent, sent: 0, omitted: 6, stalled: 0 };
    expect(differences(omitted)).toEqual(["it was declared, and the monitor does not know it"]);
    expect(differences(omitted, { ...quiet, queueIsEmpty: false })).toEqual([]);
    expect(differences({ ...omitted, isHeld: true })).toEqual([]);
    expect(differences({ ...omitted, isOver: false })).toEqual([]);
    expect(differences({ ...omitted, declaration: "sending" })).toEqual([]);
    expect(differences(omitted, { ...quiet, isDeadLetter: () => true })).toEqual([]);
  });

  it("name a window that nobody decides", () => {
    const open = { state: "UNKNOWN", decided: null, isDecided: false };
    expect(differences({ ...open, isLongOver: true })).toEqual([
      "it has been over for an hour, and is UNKNOWN",
    ]);
    expect(differences({ ...open, isLongOver: true }, { ...quiet, queueIsEmpty: false })).toEqual([]);
    expect(differences({ ...open, isHeld: true, isLongOver: true })).toEqual([]);
  });

  it("do not agree with a decision by other reports", () => {
    expect(differences({ decided: 4 })).toEqual(["the monitor decided by 4 reports and has 3"]);
  });
});
