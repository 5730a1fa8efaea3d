import { randomInt } from "node:crypto";
import { z } from "zod";
import { newId } from "../../../lib/domain/ids.js";
import { defineRoute } from "../../../lib/http/route.js";
import { expectedOf, ratesOf, TICKS } from "../domain/schedule.js";
import { ReporterError } from "../errors.js";
import type { Windows } from "../windows.js";

const MOST_SEED = 2 ** 31;
const rate = z.number().min(0).max(1);

const body = z
  .strictObject({
    seed: z.int().min(0).max(MOST_SEED).optional(),
    duration_s: z.number().positive().max(86_400).optional(),
    error_rate: rate.optional(),
    omission_rate: rate.optional(),
  })
  .nullish();

const answer = z.object({
  window_uuid: z.uuid(),
  service: z.string(),
  window_from: z.iso.datetime(),
  window_to: z.iso.datetime(),
  expected_reports: z.int().positive(),
  seed: z.int().meta({ description: "What goes wrong follows from it." }),
  error_rate: z.number(),
  omission_rate: z.number(),
});

export interface OpenWindowOptions {
  readonly windows: Windows;
  readonly service: string;
  readonly intervalMs: number;
}

export const openWindow = ({ windows, service, intervalMs }: OpenWindowOptions) =>
  defineRoute({
    method: "POST",
    path: "/report-windows",
    summary: "Open a window: its reports come at their times, but for some that go wrong or are left out",
    request: { body },
    answers: { 201: answer },
    handle: async ({ body: asked }) => {
      const seed = asked?.seed ?? randomInt(MOST_SEED);
      const drawn = ratesOf(seed);
      const window = {
        windowUuid: newId(),
        service,
        seed,
        errorRate: asked?.error_rate ?? drawn.errorRate,
        omissionRate: asked?.omission_rate ?? drawn.omissionRate,
        intervalMs,
        durationMs: durationMs(asked?.duration_s, intervalMs),
        windowFrom: new Date(),
      };
      await windows.open(window);
      return {
        status: 201,
        headers: { location: `/report-windows/${window.windowUuid}/stats` },
        body: {
          window_uuid: window.windowUuid,
          service,
          window_from: window.windowFrom.toISOString(),
          window_to: new Date(window.windowFrom.getTime() + window.durationMs).toISOString(),
          expected_reports: expectedOf(window),
          seed,
          error_rate: window.errorRate,
          omission_rate: window.omissionRate,
        },
      };
    },
  });

/** By chance where none is asked for. @throws ReporterError REPORT_DURATION_REFUSED */
function durationMs(askedS: number | undefined, intervalMs: number): number {
  const { min, max } = TICKS;
  if (askedS === undefined) {
    return randomInt(min, max + 1) * intervalMs;
  }
  const ms = Math.round(askedS * 1_000);
  if (ms < min * intervalMs || ms > max * intervalMs) {
    const [least, most] = [min, max].map((ticks) => (ticks * intervalMs) / 1_000);
    throw new ReporterError("REPORT_DURATION_REFUSED", `a window takes ${least} to ${most} s.`, {
      field: { in: "body", pointer: "#/duration_s" },
    });
  }
  return ms;
}
