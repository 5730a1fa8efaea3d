import { MultiBar, Presets, type SingleBar } from "cli-progress";
import { formatCount, formatSeconds } from "../../lib/cli/table.js";
import { isOver } from "../ledger/run.js";
import { type RunStatus, STEPS } from "../runs/status.js";

/** Progress on a terminal: a bar for each step of each run. */
export class Bars {
  readonly #bars = new MultiBar(
    {
      format: "{label} |{bar}| {percentage}%  {note}",
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  readonly #byLabel = new Map<string, SingleBar>();
  #gone = false;

  constructor() {
    // A terminal that was closed takes no more bars; what is watched goes on.
    process.stderr.on("error", () => {
      if (this.#gone) {
        return; // stopping them writes, which fails in turn
      }
      this.#gone = true;
      this.#bars.stop();
    });
  }

  show(runs: readonly RunStatus[]): void {
    if (this.#gone) {
      return;
    }
    for (const run of runs) {
      for (const step of STEPS) {
        const label = `${run.run} ${step.padEnd(5)}`;
        const bar =
          this.#byLabel.get(label) ?? this.#bars.create(Math.max(1, run.rows), 0, { label, note: "" });
        this.#byLabel.set(label, bar);
        const eta = run.etaS === null || isOver(run.state) ? "" : `, ${formatSeconds(run.etaS)} to go`;
        const note = step === "agg" ? `${formatCount(run.rowsPerS)} rows/s${eta}` : "";
        bar.update(run.rows === 0 ? 1 : run.rowsDone[step], { label, note });
      }
    }
  }

  note(text: string): void {
    if (!this.#gone && this.#byLabel.size > 0) {
      this.#bars.log(`${text}\n`);
    }
  }

  stop(): void {
    this.#bars.stop();
  }
}
