import type { Profile } from "./contracts/data.js";
import type { Letter } from "./contracts/queues.js";
import type { FraudDifficulty, RunPreview } from "./contracts/runs.js";

/** What a run is asked to be; what is left out is as the settings say. */
export interface RunOrder {
  readonly rows?: number | undefined;
  readonly seed?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly dirt_rate?: number | undefined;
  readonly fraud_rate?: number | undefined;
  readonly fraud_difficulty?: FraudDifficulty | undefined;
  readonly chunk_rows?: number | undefined;
}

/** Which letters of a queue: one, those with a code, or all. */
export interface LetterOrder {
  readonly queue: string;
  readonly id?: string | undefined;
  readonly code?: string | undefined;
  readonly all?: true | undefined;
}

/** As they were shown: what has come since is left alone. */
export interface LetterAction extends LetterOrder {
  /** How many that were. */
  readonly expected: number;
}

/** A letter whole. */
export interface WholeLetter {
  readonly letter: Letter;
  readonly encoding: "utf8" | "base64";
  readonly body: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface SeenLetters {
  readonly total: number;
  /** The oldest ones, as many as were looked at. */
  readonly letters: readonly Letter[];
}

export interface LetterForecast {
  readonly total: number;
  readonly selected: number;
  readonly forecasts:
    | readonly { readonly id: string; readonly code: string; readonly kind: string; readonly why: string }[]
    | null;
}

/** Who does a thing, and how long it may go on. */
export interface Doer {
  readonly who: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** Fires when the process ends: what can stop in order does. */
  readonly signal: AbortSignal;
}

/**
 * What other modules can do and tell, which the console knows nothing of: whoever composes the platform hands it in. Each action
 * resolves with what its command prints with --json, and rejects with a PlatformError that says why not.
 */
export interface PlatformActions {
  readonly previewRun: (order: RunOrder) => Promise<Omit<RunPreview, "as_of">>;
  readonly startRun: (order: RunOrder, doer: Doer) => Promise<object>;
  readonly resumeRun: (run: string, doer: Doer) => Promise<object>;
  readonly cancelRun: (run: string, doer: Doer) => Promise<object>;
  readonly verifyRun: (run: string, doer: Doer) => Promise<object>;
  /** @param month `YYYY-MM` */
  readonly healMonth: (month: string, doer: Doer) => Promise<object>;
  /**
   * A month's shapes beside published ones.
   *
   * @param month `YYYY-MM`
   * @throws PlatformError MONTH_UNKNOWN, CONSOLE_MONTH_LARGE
   */
  readonly profileMonth: (month: string) => Promise<Omit<Profile, "month" | "as_of">>;
  readonly seeLetters: (queue: string, most: number) => Promise<SeenLetters>;
  /** @throws CoreError DEAD_LETTER_UNKNOWN where it is not among the oldest `most` */
  readonly readLetter: (letter: {
    readonly queue: string;
    readonly id: string;
    readonly most: number;
  }) => Promise<WholeLetter>;
  /** @throws CoreError INTERRUPTED when the signal fires */
  readonly foretellLetters: (order: LetterOrder, signal: AbortSignal) => Promise<LetterForecast>;
  readonly replayLetters: (order: LetterAction, doer: Doer) => Promise<object>;
  readonly abandonLetters: (order: LetterAction, doer: Doer) => Promise<object>;
  readonly switchReports: (
    to: { readonly version: "v1" | "v2"; readonly epoch: number },
    doer: Doer,
  ) => Promise<object>;
  readonly decideMapping: (
    decision: { readonly id: string; readonly decision: "accept" | "reject" },
    doer: Doer,
  ) => Promise<object>;
  /** The rules that are part of the platform. */
  readonly rules: () => {
    readonly version: string;
    readonly digest: string;
    readonly items: readonly {
      readonly rule: string;
      readonly provider: string;
      readonly format: string;
      readonly data: Readonly<Record<string, unknown>>;
    }[];
  };
}
