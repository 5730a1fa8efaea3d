import { parseArgs } from "node:util";

export interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly rows: number;
  readonly workers: number;
  readonly longestFreezeS: number;
  readonly printSchedule: boolean;
}

/** About what two workers get through between the faults, on two cores. */
const ROWS_PER_MIN = 400_000;

export const USAGE = `Usage: scripts/chaos.sh --seed N --minutes M [--rows R] [--workers W] [--longest-freeze S] [--print-schedule] [--keep]

Runs real workers, PostgreSQL and RabbitMQ of the rig's own under faults for M minutes, lets all runs finish, and compares
what is there with a run that was left alone. Exit 0: just the same; 1: not, or the rig itself failed; 2: usage.

  --seed N            decides load and faults: same options, same schedule
  --minutes M         how long faults go on (a fraction will do)
  --rows R            transactions of all runs together (default ${ROWS_PER_MIN} a minute)
  --workers W         worker processes (default 2)
  --longest-freeze S  longest SIGSTOP in seconds (default 10)
  --print-schedule    print load and faults, and run nothing
  --keep              leave the rig's servers running: STACK_DIR=.local/chaos scripts/stack.sh env
`;

/** @returns the options, or what is wrong with them. */
export function readOptions(args: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: "string" },
        minutes: { type: "string" },
        rows: { type: "string" },
        workers: { type: "string", default: "2" },
        "longest-freeze": { type: "string", default: "10" },
        "print-schedule": { type: "boolean", default: false },
      },
    });
    if (values.seed === undefined || values.minutes === undefined) {
      return "--seed and --minutes are required";
    }
    const minutes = within("--minutes", values.minutes, 0.1, 1_440);
    return {
      seed: Math.floor(within("--seed", values.seed, 0, 4_294_967_295)),
      minutes,
      rows: Math.floor(within("--rows", values.rows ?? String(ROWS_PER_MIN * minutes), 1_000, 1e9)),
      workers: Math.floor(within("--workers", values.workers, 1, 16)),
      longestFreezeS: within("--longest-freeze", values["longest-freeze"], 0.5, 600),
      printSchedule: values["print-schedule"],
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
