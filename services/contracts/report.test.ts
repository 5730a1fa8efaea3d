import { describe, expect, it } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { parseBody } from "../../lib/messaging/read_event.js";
import { monitorReport } from "./report.js";

const report = {
  ...{
    window_uuid: newId(),
    service: "payments-a",
    seq: 1,
    status: "error",
    error_message: "timed out\nat once",
  },
  ...{ report_timestamp: "2026-01-01T01:00:00+01:00", window_from: "2026-01-01T00:00:00Z" },
  ...{ window_to: "2026-01-01T00:01:00.5Z", interval_ms: 10_000, expected_reports: 6, remaining_ms: 0 },
};
const read = (more: object) =>
  parseBody(monitorReport.schema, Buffer.from(JSON.stringify({ ...report, ...more })));

describe("a report", () => {
  it("says its times in UTC", () => {
    expect(read({})).toMatchObject({
      report_timestamp: "2026-01-01T00:00:00.000Z",
      window_to: "2026-01-01T00:01:00.500Z",
    });
  });

  // What PostgreSQL would refuse, together with whatever else came in the same group.
  it.each([
    ["a text with NUL", { error_message: "a\u0000b" }],
    ["half a letter", { error_message: "a\ud800b" }],
    ["a schedule of more than a day", { expected_reports: 1_000, interval_ms: 3_600_000 }],
    ["a number beyond its schedule", { seq: 7 }],
    ["the year 0", { window_from: "0000-01-01T00:00:00Z" }],
    ["an offset that there is not", { window_from: "2026-01-01T00:00:00+24:00" }],
    ["a time with a thousand digits", { window_from: `2026-01-01T00:00:00.${"1".repeat(1_000)}Z` }],
    ["the year 10000, in UTC", { window_to: "9999-12-31T23:59:59-01:00" }],
  ])("is refused with %s", (_, more) => {
    expect(() => read(more)).toThrow(expect.objectContaining({ code: "MESSAGE_MALFORMED" }));
  });

  it("may take a whole day", () => {
    expect(read({ expected_reports: 24, interval_ms: 3_600_000 }).expected_reports).toBe(24);
  });
});
