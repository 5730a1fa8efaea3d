/** Where the primary's log was, and when. */
export interface Mark {
  readonly atMs: number;
  readonly lsn: number;
}

/** How far behind a replica is, at most. */
export interface Lag {
  readonly s: number;
  /** Not known: it is at least so much. */
  readonly beyond: boolean;
}

/**
 * By what the replica has replayed it has all that was written before the newest mark at or below it. So an idle primary makes nobody
 * late, and a replica that hears nothing from it is late, which the time of the last transaction does not tell.
 *
 * @param marks the oldest first
 */
export function lagOf(marks: readonly Mark[], replayed: number, nowMs: number): Lag {
  const newest = marks.findLast(({ lsn }) => lsn <= replayed);
  const since = newest ?? marks[0];
  return { s: since === undefined ? 0 : (nowMs - since.atMs) / 1_000, beyond: newest === undefined };
}
