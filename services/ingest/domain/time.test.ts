import { expect, it } from "vitest";
import { type Clock, instantOf } from "./time.js";

const receivedAtMs = Date.parse("2026-01-02T00:00:00Z");

it.each<[string, Clock, string | undefined]>([
  ["2025-11-20T14:31:19.3352174Z", {}, "2025-11-20T14:31:19.335Z"],
  ["2025-11-20T20:20:41.000+0000", {}, "2025-11-20T20:20:41.000Z"],
  ["2025-11-20T15:04:05+01:00", {}, "2025-11-20T14:04:05.000Z"],
  ["2025-11-20 12:05:11", { zone: "America/Bogota" }, "2025-11-20T17:05:11.000Z"],
  ["20/11/2025 15:04", { zone: "Europe/Madrid", order: "dmy" }, "2025-11-20T14:04:00.000Z"],
  ["20/07/2025 15:04", { zone: "Europe/Madrid", order: "dmy" }, "2025-07-20T13:04:00.000Z"],
  ["21.11.25", { zone: "Europe/Berlin" }, "2025-11-21T00:00:00.000Z"],
  ["20/11/2025 14:05:00 -03:00", {}, "2025-11-20T17:05:00.000Z"],
  ["20251120", {}, "2025-11-20T00:00:00.000Z"],
  ["1763650800", {}, "2025-11-20T15:00:00.000Z"],
  ["1763650800000", {}, "2025-11-20T15:00:00.000Z"],
  ["1231140533", { withoutYear: true, receivedAtMs }, "2025-12-31T14:05:33.000Z"],
  ["0102235959", { withoutYear: true, receivedAtMs }, "2026-01-02T23:59:59.000Z"],
  ["0229000000", { withoutYear: true, receivedAtMs }, undefined],
  ["1231140533", { withoutYear: true }, undefined],
  ["01/02/2025", {}, undefined],
  ["13/02/2025", {}, "2025-02-13T00:00:00.000Z"],
  ["02/13/2025", {}, "2025-02-13T00:00:00.000Z"],
  ["2026-02-29T10:00:00Z", {}, undefined],
  ["2025-13-01", {}, undefined],
  ["2025-11-20T25:00:00Z", {}, undefined],
  ["1970-01-01T00:00:00Z", {}, undefined],
  ["yesterday", {}, undefined],
  ["", {}, undefined],
])("%s, %j, is %s", (text, clock, at) => {
  expect(instantOf(text, clock)?.at.toISOString()).toBe(at);
});

it("says where it assumed UTC", () => {
  expect(instantOf("2025-11-20T14:18:13.407", {})).toMatchObject({ assumedUtc: true });
  expect(instantOf("2025-11-20T14:18:13.407", { zone: "UTC" })).toMatchObject({ assumedUtc: false });
});
