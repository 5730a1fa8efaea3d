import { execFile } from "node:child_process";
import { chmod, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../lib/root.js";

const run = promisify(execFile);

/**
 * A checkout of its own, with a stack of its own: bootstrap compiles, and other tests run what is compiled here. With a blank in
 * its name, and nothing of the test's own settings.
 */
export class Checkout {
  readonly path: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string) {
    const { PATH, HOME } = process.env;
    const stack = { STACK_DIR: join(folder, "s"), STACK_PORTS: "free", STACK_MEMORY_MB: "512" };
    this.path = join(folder, "checkout");
    this.#env = { PATH, HOME, NO_COLOR: "1", ...stack };
  }

  static async create(): Promise<Checkout> {
    const folder = await mkdtemp(join(tmpdir(), "pay "));
    await chmod(folder, 0o755); // PostgreSQL runs as another user when we are root
    const checkout = new Checkout(folder);
    const { stdout } = await run("git", ["ls-files", "-co", "--exclude-standard"], { cwd: packageRoot });
    const copy = (file: string) =>
      cp(join(packageRoot, file), join(checkout.path, file)).catch(ignoreMissing);
    await Promise.all(stdout.trim().split("\n").map(copy));
    await symlink(join(packageRoot, "node_modules"), join(checkout.path, "node_modules"));
    return checkout;
  }

  async remove(): Promise<void> {
    await this.script("stack.sh", "reset", "--yes");
    await rm(dirname(this.path), { recursive: true });
  }

  /** One of scripts/. */
  script(name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
    return run(join(this.path, "scripts", name), args, { env: this.#env });
  }

  /** `payments …` on its stack. @returns what it prints. */
  async payments(...args: string[]): Promise<string> {
    const command = 'eval "$(scripts/stack.sh env)" && exec node dist/app/main.js "$@"';
    const shell = ["-c", command, "payments", ...args];
    return (await run("bash", shell, { env: this.#env, cwd: this.path })).stdout;
  }
}

/** Deleted and not yet committed. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") {
    throw error;
  }
}
