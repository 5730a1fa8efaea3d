/** A window as its reporter audited it, beside what the monitor has of it; see db/queries/compare_windows.sql. */
export interface ComparedWindow {
  readonly windowUuid: string;
  readonly service: string;
  readonly expected: number;
  /** Of the monitor; null: it knows nothing of the window. */
  readonly state: string | null;
  /** Reports in time, as the monitor counted them when it decided. */
  readonly decided: number | null;
  readonly isDecided: boolean;
  /** Its end is past, and the audit's grace. */
  readonly isOver: boolean;
  /** The same for an hour: longer than a report may be tried. */
  readonly isLongOver: boolean;
  /** What became of its declaration; null: it has no row. */
  readonly declaration: string | null;
  /** Somebody holds a report of it, or its declaration. */
  readonly isHeld: boolean;
  readonly sent: number;
  readonly omitted: number;
  readonly stalled: number;
  readonly unknown: number;
  readonly received: number;
  readonly late: number;
  readonly held: number;
  /** Ticks that have no row although all once had. */
  readonly unaudited: readonly number[];
  /** Reports that came and, by the audit, were not sent. */
  readonly unsent: readonly number[];
  /** Reports that were sent and neither came nor are held. */
  readonly unaccounted: readonly number[];
}

export interface Surroundings {
  /** Whether a report is among the dead letters, or was. */
  readonly isDeadLetter: (windowUuid: string, seq: number) => boolean;
  /** Nothing waits in the queue of reports. */
  readonly queueIsEmpty: boolean;
}

/** A window's books: expected = sent + omitted + stalled + unknown, sent = received + late + dead-lettered + in flight. */
export interface Account
  extends Pick<
    ComparedWindow,
    | "windowUuid"
    | "service"
    | "expected"
    | "state"
    | "sent"
    | "omitted"
    | "stalled"
    | "unknown"
    | "received"
    | "late"
  > {
  readonly deadLettered: number;
  readonly inFlight: number;
  readonly missing: number;
  /** What does not fit, each in words; none is the proof. */
  readonly differences: readonly string[];
}

/** Of a window that is decided nothing is in flight: a marker came through the queue behind all that was sent. */
export function accountOf(window: ComparedWindow, { isDeadLetter, queueIsEmpty }: Surroundings): Account {
  const { windowUuid, service, expected, state, sent, omitted, stalled, unknown, received, late, held } =
    window;
  const dead = window.unaccounted.filter((seq) => isDeadLetter(windowUuid, seq));
  const open = window.unaccounted.filter((seq) => !dead.includes(seq));
  const isLost = window.isDecided || (window.isOver && queueIsEmpty);
  const inFlight = held + (isLost ? 0 : open.length);
  const isQuiet = queueIsEmpty && !window.isHeld;
  const differences = [
    ...(window.declaration === null ? ["its declaration has no row in the audit"] : []),
    ...(isQuiet &&
    window.isOver &&
    state === null &&
    window.declaration === "sent" &&
    !isDeadLetter(windowUuid, 0)
      ? ["it was declared, and the monitor does not know it"]
      : []),
    ...(isQuiet && window.isLongOver && state !== null && !window.isDecided
      ? [`it has been over for an hour, and is ${state}`]
      : []),
    ...window.unaudited.map((seq) => `tick ${seq} has no row in the audit`),
    ...window.unsent.map((seq) => `report ${seq} came, and was not sent by the audit`),
    ...(isLost ? open.map((seq) => `report ${seq} was sent, and is nowhere`) : []),
    ...(window.decided !== null && window.decided !== received
      ? [`the monitor decided by ${window.decided} reports and has ${received}`]
      : []),
    ...unequal("expected", expected, { sent, omitted, stalled, unknown }),
    ...unequal("sent", sent, { received, late, "dead-lettered": dead.length, "in flight": inFlight }),
  ];
  const counts = { expected, sent, omitted, stalled, unknown, received, late };
  return {
    ...{ windowUuid, service, state, ...counts },
    ...{ deadLettered: dead.length, inFlight, missing: expected - received, differences },
  };
}

function unequal(what: string, whole: number, parts: Readonly<Record<string, number>>): readonly string[] {
  const sum = Object.values(parts).reduce((total, part) => total + part, 0);
  return sum === whole ? [] : [`${what} ${whole} is not ${sum}: ${Object.keys(parts).join(" + ")}`];
}
