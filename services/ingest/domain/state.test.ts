import fc from "fast-check";
import { expect, it } from "vitest";
import { STATUS_CATEGORIES, type StatusCategory } from "./normalised.js";
import { currentState, type StateEvent } from "./state.js";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const told = (
  second: number,
  status: StatusCategory,
  undoes: StatusCategory | null = null,
  amount: string | null = null,
): StateEvent => ({
  status,
  undoes,
  amount,
  occurredAt: at(second),
});

it.each<[string, StateEvent[], StatusCategory]>([
  ["a success that came after its refund", [told(2, "REFUNDED"), told(1, "APPROVED")], "REFUNDED"],
  ["a refusal of an earlier attempt", [told(2, "APPROVED"), told(1, "DECLINED")], "APPROVED"],
  ["a refusal and a failure", [told(1, "DECLINED"), told(2, "FAILED")], "FAILED"],
  ["a capture that failed", [told(1, "APPROVED"), told(2, "FAILED", "APPROVED")], "FAILED"],
  [
    "a capture that was tried again",
    [told(1, "APPROVED"), told(2, "FAILED", "APPROVED"), told(3, "APPROVED")],
    "APPROVED",
  ],
  [
    "a refund that failed",
    [told(1, "APPROVED"), told(2, "REFUNDED"), told(3, "FAILED", "REFUNDED")],
    "APPROVED",
  ],
  [
    "one of two refunds that failed",
    [
      told(1, "REFUNDED", null, "4.00"),
      told(2, "REFUNDED", null, "6.00"),
      told(3, "FAILED", "REFUNDED", "6.00"),
    ],
    "REFUNDED",
  ],
  [
    "a void that does not say when",
    [told(1, "APPROVED"), { ...told(0, "FAILED", "APPROVED"), occurredAt: null }],
    "FAILED",
  ],
  [
    "a chargeback that was taken back",
    [told(1, "APPROVED"), told(2, "CHARGEBACK"), told(3, "APPROVED", "CHARGEBACK")],
    "APPROVED",
  ],
  [
    "a dispute that was won",
    [told(1, "APPROVED"), told(2, "CHARGEBACK"), told(3, "CHARGEBACK", "CHARGEBACK")],
    "APPROVED",
  ],
  ["nothing but a dispute that was won", [told(3, "CHARGEBACK", "CHARGEBACK")], "CHARGEBACK"],
  ["a second dispute", [told(3, "CHARGEBACK", "CHARGEBACK"), told(4, "CHARGEBACK")], "CHARGEBACK"],
  ["nothing", [], "UNPROCESSED"],
])("%s", (_, events, state) => {
  expect(currentState(events)).toBe(state);
});

it("does not depend on the order of arrival, nor on repetitions", () => {
  const event = fc
    .tuple(
      fc.constantFrom(...STATUS_CATEGORIES),
      fc.option(fc.constantFrom("APPROVED", "REFUNDED", "CHARGEBACK")),
    )
    .map(([status, undoes]) => ({ status, undoes }) as const);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (events, random) => {
      // Each at a time of its own: of two at once nobody can say which was last.
      const timed = events.map((each, second) => ({ ...each, amount: null, occurredAt: at(second) }));
      const shuffled = [...timed, ...timed]
        .map((each) => ({ each, order: random.next().value as number }))
        .sort((a, b) => a.order - b.order)
        .map(({ each }) => each);
      expect(currentState(shuffled)).toBe(currentState(timed));
    }),
  );
});
