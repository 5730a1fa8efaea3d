import type { StatusCategory, UnprocessedCode } from "./domain/normalised.js";
import type { Figure, Rounding } from "./store/figures.js";

/** Sums of figures by whatever `of` calls them, the greatest first; what it gives no name is left out. */
export function sumBy<Name extends string>(
  figures: readonly Figure[],
  of: (figure: Figure) => Name | "",
): readonly (readonly [Name, number])[] {
  const sums = new Map<Name, number>();
  for (const figure of figures) {
    const name = of(figure);
    if (name !== "") {
      sums.set(name, (sums.get(name) ?? 0) + figure.events);
    }
  }
  return [...sums].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

/**
 * Figures of each provider, in the order of their names. Names of which no event was ever understood are whatever senders wrote, any
 * number of them: together they are nobody, ``.
 */
export function byProvider(figures: readonly Figure[]): readonly (readonly [string, readonly Figure[]])[] {
  const known = new Set(figures.filter(({ code }) => !UNKNOWN.has(code)).map(({ provider }) => provider));
  const groups = new Map<string, Figure[]>();
  for (const figure of figures) {
    const name = known.has(figure.provider) ? figure.provider : "";
    const group = groups.get(name) ?? [];
    group.push(figure);
    groups.set(name, group);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Of events whose provider is known by its hint alone. */
const UNKNOWN: ReadonlySet<string> = new Set<UnprocessedCode>(["UNRECOGNISED", "AI_PENDING"]);

/** What was tried and came to an end, one way or the other. */
const SUCCESS: ReadonlySet<StatusCategory> = new Set(["APPROVED"]);
const FAILURE: ReadonlySet<StatusCategory> = new Set(["DECLINED", "FAILED"]);

/** APPROVED of APPROVED, DECLINED and FAILED; null where there are none. What is pending, comes back or is not understood is no part. */
export function successRate(figures: readonly Figure[]): number | null {
  const sum = (of: ReadonlySet<StatusCategory>) => total(figures.filter(({ status }) => of.has(status)));
  const [won, lost] = [sum(SUCCESS), sum(FAILURE)];
  return won + lost === 0 ? null : rounded(won / (won + lost));
}

export const total = (figures: readonly Figure[]): number =>
  figures.reduce((sum, { events }) => sum + events, 0);

/** From arrival until an event is understood, in milliseconds; null without events. */
export function meanLatencyMs(figures: readonly Figure[]): number | null {
  const events = total(figures);
  return events === 0 ? null : rounded(figures.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / events);
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/** With fewer amounts a share says little. */
const ENOUGH = 50;
/** Prices that end in 00 are a half of all at most; whoever takes major units for minor ones has nearly all. */
const SUSPECT = 0.95;

export const isSuspect = ({ events, round }: Rounding): boolean =>
  events >= ENOUGH && round / events >= SUSPECT;

export const shareOf = ({ events, round }: Rounding): number => rounded(round / events);
