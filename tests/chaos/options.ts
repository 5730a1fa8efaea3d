import { parseArgs } from "node:util";

interface CommonOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly longestFreezeS: number;
  readonly printSchedule: boolean;
}

export interface PipelineOptions extends CommonOptions {
  readonly rig: "pipeline";
  readonly rows: number;
  readonly workers: number;
}

export interface ServicesOptions extends CommonOptions {
  readonly rig: "services";
  /** Payments a second. */
  readonly rate: number;
}

export type Options = PipelineOptions | ServicesOptions;

/** About what two workers get through between the faults, on two cores. */
const ROWS_PER_MIN = 400_000;

/** What seven processes, their servers and the faults leave of two cores carries it. */
const PAYMENTS_PER_S = 50;

export const USAGE = `Usage: scripts/chaos.sh [pipeline] --seed N --minutes M [--rows R] [--workers W] [OPTION...]
       scripts/chaos.sh services --seed N --minutes M [--rate P] [OPTION...]

Runs real processes, PostgreSQL and RabbitMQ of the rig's own under faults for M minutes, lets all work end, and proves that
the faults did no harm: runs of the pipeline are compared with the same runs left alone, payments with an answer key.
Exit 0: no harm; 1: harm, or the rig itself failed; 2: usage.

  --seed N            decides load and faults: same options, same schedule
  --minutes M         how long faults go on (a fraction will do)
  --rows R            transactions of all runs together (default ${ROWS_PER_MIN} a minute)
  --workers W         worker processes (default 2)
  --rate P            payments a second (default ${PAYMENTS_PER_S})
  --longest-freeze S  longest SIGSTOP in seconds (default 10)
  --print-schedule    print load and faults, and run nothing
  --keep              leave the rig's servers running: STACK_DIR=.local/chaos scripts/stack.sh env
`;

/** Options of one rig only. */
const OWN = { pipeline: ["rows", "workers"], services: ["rate"] } as const;

/** @returns the options, or what is wrong with them. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seed: { type: "string" },
        minutes: { type: "string" },
        rows: { type: "string" },
        workers: { type: "string" },
        rate: { type: "string" },
        "longest-freeze": { type: "string", default: "10" },
        "print-schedule": { type: "boolean", default: false },
      },
    });
    const [rig = "pipeline", ...more] = positionals;
    if ((rig !== "pipeline" && rig !== "services") || more.length > 0) {
      return `there are the rigs pipeline and services, not '${positionals.join(" ")}'`;
    }
    const others = OWN[rig === "pipeline" ? "services" : "pipeline"];
    const strange = others.find((name) => values[name] !== undefined);
    if (strange !== undefined) {
      return `--${strange} is not for ${rig}`;
    }
    if (values.seed === undefined || values.minutes === undefined) {
      return "--seed and --minutes are required";
    }
    const minutes = within("--minutes", values.minutes, 0.1, 1_440);
    const common = {
      seed: Math.floor(within("--seed", values.seed, 0, 4_294_967_295)),
      minutes,
      longestFreezeS: within("--longest-freeze", values["longest-freeze"], 0.5, 600),
      printSchedule: values["print-schedule"],
    };
    if (rig === "services") {
      return { rig, ...common, rate: within("--rate", values.rate ?? String(PAYMENTS_PER_S), 1, 1_000) };
    }
    return {
      rig,
      ...common,
      rows: Math.floor(within("--rows", values.rows ?? String(ROWS_PER_MIN * minutes), 1_000, 1e9)),
      workers: Math.floor(within("--workers", values.workers ?? "2", 1, 16)),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function within(name: string, text: string, low: number, high: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= low && value <= high)) {
    throw new Error(`${name} takes ${low} to ${high}, not '${text}'`);
  }
  return value;
}
