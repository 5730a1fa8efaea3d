import { describe, expect, it } from "vitest";
import type { Delivery } from "../../lib/broker/delivery.js";
import { newId } from "../../lib/domain/ids.js";
import { markerMessage, type Report, reportMessage } from "../contracts/report.js";
import { errandOf } from "./errand.js";
import { Holds } from "./holds.js";

const report: Report = {
  ...{ window_uuid: newId(), service: "payments-a", seq: 2, status: "ok" },
  ...{ report_timestamp: "2026-01-01T00:00:00.000Z", window_from: "2026-01-01T00:00:00.000Z" },
  ...{
    window_to: "2026-01-01T00:01:00.000Z",
    interval_ms: 10_000,
    expected_reports: 6,
    remaining_ms: 40_000,
  },
};
const delivered = (
  { body, properties }: ReturnType<typeof reportMessage>,
  type = properties?.type,
): Delivery => ({
  body: Buffer.from(body),
  headers: properties?.headers ?? {},
  messageId: properties?.messageId,
  type,
  ...{ attempt: 1, redelivered: false, deliveryCount: 0 },
  ...{ lost: new AbortController().signal, overdue: new AbortController().signal },
});

describe("an errand", () => {
  it("is to bring a report, or a marker", () => {
    expect(errandOf(delivered(reportMessage(report)))).toMatchObject({ kind: "report", report });
    const markerId = newId();
    expect(errandOf(delivered(markerMessage(markerId)))).toEqual({ kind: "marker", markerId });
  });

  it("is none where a message makes no sense; such a marker nobody sent", () => {
    expect(errandOf(delivered(reportMessage(report), "other"))).toMatchObject({
      kind: "malformed",
      code: "MESSAGE_MALFORMED",
    });
    const odd = errandOf({ ...delivered(markerMessage(newId())), body: Buffer.from("{") });
    expect(odd).toEqual({ kind: "marker", markerId: undefined });
  });
});

describe("what is held", () => {
  it("is what came, from then on; what leaves unsettled went back until the monitor knows", () => {
    const holds = new Holds();
    const [settled, released] = [
      delivered(reportMessage(report)),
      delivered(reportMessage({ ...report, seq: 3 })),
    ];
    holds.take(settled);
    holds.take(released);
    holds.take(delivered(markerMessage(newId())));
    expect(holds.snapshot().snapshot).toEqual({
      gave_back: false,
      held: [
        [report.window_uuid, 2],
        [report.window_uuid, 3],
      ],
    });
    holds.settled({ delivery: settled, outcome: { kind: "done" }, deadLettered: false });
    holds.over(settled);
    expect(holds.snapshot().snapshot.gave_back).toBe(false);
    holds.over(released);
    const { snapshot, arrived } = holds.snapshot();
    expect(snapshot).toEqual({ gave_back: true, held: [] });
    expect(holds.snapshot().snapshot.gave_back).toBe(true); // it did not arrive
    arrived();
    expect(holds.snapshot().snapshot.gave_back).toBe(false);
  });

  it("may have gone back unread for a time after a lost link", () => {
    const holds = new Holds();
    holds.leaveUnread(60_000);
    holds.snapshot().arrived();
    expect(holds.snapshot().snapshot.gave_back).toBe(true);
  });
});
