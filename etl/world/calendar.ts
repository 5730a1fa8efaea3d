import { activity, COUNTRIES, seasonOf } from "./world.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A month of a window, cut at the window's ends, with the weight of each of its hours. */
export interface MonthHours {
  /** `YYYY-MM-01` */
  readonly month: string;
  /** Start of its first hour in the window, ms since 1970. */
  readonly startMs: number;
  /** cumulative[h] is the weight of its hours before h; one longer than it has hours. */
  readonly cumulative: Float64Array;
}

/** Busyness of the whole world in each hour of a week: the sum of its countries'. */
const WORLD_WEEK = Float64Array.from({ length: 168 }, (_, hour) =>
  COUNTRIES.reduce((sum, country) => sum + activity(country, hour), 0),
);

/** Hour of the week (0 = Monday 00:00 UTC) of a time. 1970-01-01 was a Thursday. */
export function hourOfWeek(ms: number): number {
  return (Math.floor(ms / HOUR_MS) + 72) % 168;
}

/** The months of [fromOn, toOn), both `YYYY-MM-DD` in UTC. */
export function monthsOf(fromOn: string, toOn: string): MonthHours[] {
  const endMs = Date.parse(toOn);
  const months: MonthHours[] = [];
  for (let startMs = Date.parse(fromOn); startMs < endMs; ) {
    const start = new Date(startMs);
    const nextMs = Math.min(endMs, Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1));
    months.push({
      month: `${start.toISOString().slice(0, 7)}-01`,
      startMs,
      cumulative: hourWeights(startMs, nextMs),
    });
    startMs = nextMs;
  }
  return months;
}

function hourWeights(startMs: number, endMs: number): Float64Array {
  const hours = (endMs - startMs) / HOUR_MS;
  const cumulative = new Float64Array(hours + 1);
  for (let h = 0; h < hours; h++) {
    const ms = startMs + h * HOUR_MS;
    const season = seasonOf(new Date(Math.floor(ms / DAY_MS) * DAY_MS));
    cumulative[h + 1] = (cumulative[h] ?? 0) + season * (WORLD_WEEK[hourOfWeek(ms)] ?? 0);
  }
  return cumulative;
}
