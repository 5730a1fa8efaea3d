/** Order of day and month in dates that do not begin with the year. */
export type DateOrder = "dmy" | "mdy";

export interface Clock {
  /** IANA, where the text names no offset. */
  readonly zone?: string | undefined;
  readonly order?: DateOrder | undefined;
  /** The text is MMDDhhmmss in GMT, field 7 of ISO 8583: its year is chosen so that it lies just before `receivedAtMs`. */
  readonly withoutYear?: true | undefined;
  /** When the event came, in milliseconds. */
  readonly receivedAtMs?: number | undefined;
}

export interface Instant {
  readonly at: Date;
  /** Neither text nor clock had a zone: it was read as UTC. */
  readonly assumedUtc: boolean;
}

const YEAR_FIRST = /^(\d{4})([-/.]?)(\d{2})\2(\d{2})(?:(?:[T ]|\s)*(.+))?$/;
const YEAR_LAST = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{2}|\d{4})(?:[T ]\s*(.+))?$/;
const CLOCK = /^(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i;
const WITHOUT_YEAR = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/;

/** A provider's clock may be a day ahead of ours; what is further ahead was a year ago, or is no time. */
export const DAY_MS = 86_400_000;
/** No event is of before card payments went online, nor of after 2100. */
const [EARLIEST_MS, LATEST_MS] = [Date.UTC(1995, 0), Date.UTC(2100, 0)];

/**
 * When a text says: RFC 3339 with or without offset and with up to nine digits of a second, dates with day first or month first,
 * seconds or milliseconds since 1970. Digits past milliseconds are cut off.
 *
 * @returns undefined for what is no time, for days that no calendar has (29 February 2026), and for days that may be two without an
 * order (01/02/2026).
 */
export function instantOf(text: string, clock: Clock): Instant | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 64) {
    return undefined;
  }
  const instant =
    clock.withoutYear === true
      ? withoutYear(trimmed, clock)
      : (sinceEpoch(trimmed) ?? yearFirst(trimmed, clock) ?? yearLast(trimmed, clock));
  const ms = instant?.at.getTime() ?? Number.NaN;
  return ms >= EARLIEST_MS && ms < LATEST_MS ? instant : undefined;
}

/** Nine or ten digits are seconds, twelve or thirteen milliseconds, sixteen microseconds. */
function sinceEpoch(text: string): Instant | undefined {
  const [, whole = "", fraction = ""] = /^(\d{9,16})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  switch (whole.length) {
    case 9:
    case 10:
      return {
        at: new Date(Number(whole) * 1_000 + Number(fraction.slice(0, 3).padEnd(3, "0"))),
        assumedUtc: false,
      };
    case 12:
    case 13:
      return { at: new Date(Number(whole)), assumedUtc: false };
    case 16:
      return { at: new Date(Math.floor(Number(whole) / 1_000)), assumedUtc: false };
    default:
      return undefined;
  }
}

function yearFirst(text: string, clock: Clock): Instant | undefined {
  const [, year, , month, day, rest] = YEAR_FIRST.exec(text) ?? [];
  return year === undefined ? undefined : instantAt([Number(year), Number(month), Number(day)], rest, clock);
}

function yearLast(text: string, clock: Clock): Instant | undefined {
  const match = YEAR_LAST.exec(text);
  if (match === null) {
    return undefined;
  }
  const [first, second, year] = [Number(match[1]), Number(match[3]), Number(match[4])];
  // A point stands between day and month only in countries that put the day first.
  const order = clock.order ?? (match[2] === "." || first > 12 ? "dmy" : undefined);
  if (order === undefined && first !== second && second <= 12) {
    return undefined;
  }
  const [day, month] = order === "dmy" ? [first, second] : [second, first];
  return instantAt([year < 100 ? 2_000 + year : year, month, day], match[5], clock);
}

function withoutYear(text: string, clock: Clock): Instant | undefined {
  const [, month, day, hour, minute, second] = WITHOUT_YEAR.exec(text) ?? [];
  if (month === undefined || clock.receivedAtMs === undefined) {
    return undefined;
  }
  const latest = clock.receivedAtMs + DAY_MS;
  const thisYear = new Date(latest).getUTCFullYear();
  const at = (year: number) =>
    instantAt([year, Number(month), Number(day)], `${hour}:${minute}:${second}Z`, clock);
  const candidates = [at(thisYear), at(thisYear - 1)];
  return candidates.find((each) => each !== undefined && each.at.getTime() <= latest);
}

type Day = readonly [year: number, month: number, day: number];

function instantAt([year, month, day]: Day, time: string | undefined, clock: Clock): Instant | undefined {
  const parts = time === undefined ? [] : CLOCK.exec(time.trim());
  const midnight = Date.UTC(year, month - 1, day);
  const isDay = new Date(midnight).getUTCMonth() === month - 1 && new Date(midnight).getUTCDate() === day;
  if (parts === null || !isDay) {
    return undefined;
  }
  const [, hour = "0", minute = "0", second = "0", fraction = "", offset] = parts;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    return undefined;
  }
  const localMs =
    midnight +
    ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000 +
    Number(fraction.slice(0, 3).padEnd(3, "0"));
  if (offset !== undefined) {
    return { at: new Date(localMs - offsetMs(offset)), assumedUtc: false };
  }
  if (time === undefined) {
    // A day alone stays the day that it is, wherever it was.
    return { at: new Date(midnight), assumedUtc: false };
  }
  const zone = clock.zone;
  return {
    at: new Date(zone === undefined ? localMs : inZone(localMs, zone)),
    assumedUtc: zone === undefined,
  };
}

function offsetMs(offset: string): number {
  const [, sign, hours, minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset) ?? [];
  const ms = hours === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === "-" ? -ms : ms;
}

/** What zones are called in reports, where IANA has another name. */
const ZONES: Readonly<Record<string, string>> = {
  CEST: "Europe/Berlin",
  CET: "Europe/Berlin",
  BST: "Europe/London",
  PST: "America/Los_Angeles",
  PDT: "America/Los_Angeles",
  EST: "America/New_York",
  EDT: "America/New_York",
  CST: "America/Chicago",
  CDT: "America/Chicago",
};
const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(name)) {
    formats.set(name, formatMade(name));
  }
  return formats.get(name);
}

function formatMade(name: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone: ZONES[name] ?? name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
}

/** To make a format takes 80 µs, and each row of a report names its zone. */
const zones = new Map<string, string | undefined>();
const MAX_ZONES = 1_000;

/** The zone by a name that a report gives it; undefined for one that nobody knows. */
export function zoneOf(name: string): string | undefined {
  if (Object.hasOwn(ZONES, name)) {
    return ZONES[name];
  }
  if (!/^[A-Z][A-Za-z_]{1,20}(?:\/[A-Za-z_]{1,20}){0,2}$/.test(name)) {
    return undefined;
  }
  if (!zones.has(name)) {
    if (zones.size >= MAX_ZONES) {
      zones.clear();
    }
    zones.set(name, formatMade(name) === undefined ? undefined : name);
  }
  return zones.get(name);
}

/** UTC of a local time. Asked twice, since the first guess may lie on the other side of a change of the clocks. */
function inZone(localMs: number, zone: string): number {
  const first = localMs - shiftMs(localMs, zone);
  return localMs - shiftMs(first, zone);
}

/** Clocks change at a quarter of an hour only. To ask `Intl` takes 5 µs, and events of a day ask the same. */
const QUARTER_MS = 900_000;
const shifts = new Map<string, number>();
const MAX_SHIFTS = 1_000;

function shiftMs(atMs: number, zone: string): number {
  const key = `${zone} ${Math.floor(atMs / QUARTER_MS)}`;
  let shift = shifts.get(key);
  if (shift === undefined) {
    shift = shiftAsked(atMs, zone);
    if (shifts.size >= MAX_SHIFTS) {
      shifts.clear();
    }
    shifts.set(key, shift);
  }
  return shift;
}

function shiftAsked(atMs: number, zone: string): number {
  const parts = formatOf(zone)?.formatToParts(atMs) ?? [];
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = parts
    .filter(({ type }) => type !== "literal")
    .map(({ value }) => Number(value));
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1_000) * 1_000;
}
