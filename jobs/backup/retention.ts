/** How many days, weeks and months keep their last backup. */
export interface Keep {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface Candidate {
  readonly id: string;
  /** When it was begun, ISO 8601 in UTC. */
  readonly at: string;
  readonly verifiedAt: string | null;
}

/**
 * Which backups may go. The last one of each of the newest days, weeks (from Monday) and months that have one stays, and so
 * do, whatever the numbers say, the newest one and the newest that a restore has proven.
 *
 * @param candidates newest first: which was made after which is not always what their times say.
 * @returns ids, oldest first.
 */
export function expired(candidates: readonly Candidate[], keep: Keep): string[] {
  const kept = new Set<string>();
  const periods: [count: number, periodOf: (at: string) => string][] = [
    [keep.daily, (at) => at.slice(0, 10)],
    [keep.weekly, mondayOf],
    [keep.monthly, (at) => at.slice(0, 7)],
  ];
  for (const [count, periodOf] of periods) {
    const last = new Map<string, string>();
    for (const { id, at } of candidates) {
      if (!last.has(periodOf(at))) {
        last.set(periodOf(at), id);
      }
    }
    for (const id of [...last.values()].slice(0, count)) {
      kept.add(id);
    }
  }
  const proven = candidates.find((candidate) => candidate.verifiedAt !== null);
  for (const candidate of [candidates[0], proven]) {
    if (candidate !== undefined) {
      kept.add(candidate.id);
    }
  }
  return candidates
    .filter(({ id }) => !kept.has(id))
    .map(({ id }) => id)
    .reverse();
}

function mondayOf(at: string): string {
  const day = new Date(`${at.slice(0, 10)}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}
