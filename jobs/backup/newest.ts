import type { Logger } from "../../lib/observability/log.js";

/** What two clocks that are set may differ by. Later than that is no time: the clock was wrong then, or is now. */
export const AHEAD_MS = 300_000;

interface Dated {
  readonly id: string;
  readonly manifest: { readonly madeAfter?: readonly string[] | undefined } | undefined;
}

/** When a backup says that it was begun, as ISO 8601 writes what stands in its id: `dump-20261122T024107123Z`. */
export function isoTimeOf(id: string): string {
  return id.replace(/^[a-z]+-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, "$1-$2-$3T$4:$5:$6.$7Z");
}

/** The same in ms since 1970. NaN when that is no time. */
export const timeOf = (id: string) => Date.parse(isoTimeOf(id));

/** Whether a backup's time is still to come. */
export function isAhead(id: string, nowMs = Date.now()): boolean {
  return !(timeOf(id) <= nowMs + AHEAD_MS);
}

/** Those whose time is still to come and of which no other says that it was made after them: the newest, or very old. */
export function unplaced<T extends Dated>(backups: readonly T[], nowMs = Date.now()): T[] {
  const placed = new Set(backups.flatMap(({ manifest }) => manifest?.madeAfter ?? []));
  return backups.filter(({ id }) => isAhead(id, nowMs) && !placed.has(id));
}

/**
 * Backups in the order in which they were made, newest first. What was made later though its time is earlier says so
 * (`madeAfter` in its manifest) and comes first; beyond that their times decide. Those that have no place come as late as that
 * allows: nobody takes one for the newest while there is another.
 */
export function newestFirst<T extends Dated>(backups: readonly T[], nowMs = Date.now()): T[] {
  const last = new Set(unplaced(backups, nowMs));
  const left = [...backups].sort(
    (a, b) =>
      Number(last.has(a)) - Number(last.has(b)) || descending(stamp(a), stamp(b)) || descending(a.id, b.id),
  );
  const order: T[] = [];
  while (left.length > 0) {
    const next = left.findIndex((each) => !left.some((other) => wasMadeAfter(other, each)));
    order.push(...left.splice(next, 1));
  }
  return order;
}

const descending = (a: string, b: string) => Number(a < b) - Number(a > b);

/** Only of later times is it to be said, as madeBefore does: so no two are each made after the other, however many between. */
const wasMadeAfter = (a: Dated, b: Dated) =>
  stamp(a) < stamp(b) && a.manifest?.madeAfter?.includes(b.id) === true;

const stamp = ({ id }: Pick<Dated, "id">) => id.replace(/^[a-z]+-/, "");

/** Those that lie there already though their time is later: what a new backup's manifest says of them. */
export function madeBefore(backups: readonly Dated[], id: string): string[] {
  return backups.filter((other) => stamp(other) > stamp({ id })).map((other) => other.id);
}

/** Says which backups have a time that is still to come. */
export function warnOfAhead(backups: readonly Dated[], logger: Logger): void {
  for (const { id } of backups.filter((each) => isAhead(each.id))) {
    logger.warn(
      { backup: id },
      `the time of ${id} is still to come: a clock was ahead when it was made, or this one is behind; it is taken for the newest only if it is the only one`,
    );
  }
}
