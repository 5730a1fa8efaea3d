import { eventually } from "./eventually.js";
import { freePort } from "./free_port.js";
import { startPayments } from "./process.js";

/** `payments serve MODULE…` in a process of its own, on a port that it keeps. */
export class Serving {
  readonly port: number;
  readonly #settings: Parameters<typeof startPayments>[0];
  readonly #modules: readonly string[];
  #started: ReturnType<typeof startPayments>;

  private constructor(
    settings: Parameters<typeof startPayments>[0],
    modules: readonly string[],
    port: number,
  ) {
    this.#settings = { ...settings, HTTP_PORT: port };
    this.#modules = modules;
    this.port = port;
    this.#started = this.#start();
  }

  static async start(settings: Parameters<typeof startPayments>[0], ...modules: string[]): Promise<Serving> {
    return new Serving(settings, modules, await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** All that the process of now has written. */
  get written(): string {
    const { stdout, stderr } = this.#started.output;
    return stdout + stderr;
  }

  /** Resolves when it is ready. */
  async ready(): Promise<void> {
    const { child, output } = this.#started;
    const ready = async () => {
      if (child.exitCode !== null) {
        throw new Error(`payments serve ended with ${child.exitCode}: ${output.stderr}`);
      }
      return (await fetch(`${this.url}/readyz`).catch(() => undefined))?.status === 200;
    };
    await eventually(`${this.#modules} ready`, ready, { withinMs: 60_000, everyMs: 100 });
  }

  /** Another process in its place. @returns the exit status of the one before, null after a kill */
  async replace(signal: NodeJS.Signals = "SIGKILL"): Promise<number | null> {
    const status = await this.stop(signal);
    this.#started = this.#start();
    return status;
  }

  /** To be frozen, and to wake. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#started.child.kill(signal);
  }

  /** @returns its exit status, null after a kill. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#started.child.kill(signal);
    return (await this.#started.ended).code;
  }

  #start() {
    return startPayments({ LOG_LEVEL: "warn", ...this.#settings }, "serve", ...this.#modules);
  }
}
