import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { packageRoot } from "../root.js";
import { outputOf, run, start } from "./run.js";
import { LineWriter } from "./stderr.js";

/** A descriptor that takes some bytes of each write, or fails. */
class Descriptor {
  text = "";
  calls = 0;
  readonly #answers: (number | string)[];

  /** @param answers how many bytes the next write takes, or the code it fails with; after them it takes all. */
  constructor(...answers: (number | string)[]) {
    this.#answers = answers;
  }

  readonly write = (_fd: number, data: Uint8Array, offset: number): number => {
    this.calls++;
    const answer = this.#answers.shift() ?? Number.POSITIVE_INFINITY;
    if (typeof answer === "string") {
      throw Object.assign(new Error(answer), { code: answer });
    }
    const taken = data.subarray(offset, offset + answer);
    this.text += Buffer.from(taken).toString("latin1");
    return taken.length;
  };
}

function linesOf(descriptor: Descriptor, ...lines: string[]): { text: string; lost: number } {
  const writer = new LineWriter(2, descriptor.write);
  for (const line of lines) {
    writer.write(`${line}\n`);
  }
  return { text: descriptor.text, lost: writer.lost };
}

describe("lines to a descriptor that fails", () => {
  it.each(["ENOSPC", "EIO", "EPIPE", "EBADF", "EFBIG", "EDQUOT"])(
    "%s: are counted, and said once",
    (code) => {
      expect(linesOf(new Descriptor(code, code, code), "a", "b", "c", "d", "e")).toEqual({
        text: `3 lines lost: ${code}\nd\ne\n`,
        lost: 3,
      });
    },
  );

  it("are whole, also where a write was cut", () => {
    expect(linesOf(new Descriptor(2, "ENOSPC", "ENOSPC"), "abcd", "efgh", "ijkl").text).toBe(
      "abcd\n1 lines lost: ENOSPC\nijkl\n",
    );
  });

  it("wait for a slow reader, but for one that stands still only once", () => {
    expect(linesOf(new Descriptor("EAGAIN", "EAGAIN"), "a", "b")).toEqual({ text: "a\nb\n", lost: 0 });
    const stuck = new Descriptor(...Array.from({ length: 1_000 }, () => "EAGAIN"));
    const started = performance.now();
    expect(linesOf(stuck, ..."abcdefghij").lost).toBe(10);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(stuck.calls).toBeLessThan(150);
  });

  it("wait no longer because there was room to say what is lost", () => {
    const stuck = Array.from({ length: 101 }, () => "EAGAIN");
    const descriptor = new Descriptor(...stuck, 99, ...stuck);
    expect(linesOf(descriptor, "a", "b", "c").lost).toBe(3);
    expect(descriptor.calls).toBe(104);
  });

  it("are in order, whole, and written or counted, whatever happens", () => {
    const answer = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom("ENOSPC", "EIO", "EPIPE"));
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (answers, count) => {
        const given = Array.from({ length: count }, (_, i) => `line ${i}`);
        const descriptor = new Descriptor(...answers);
        const { text, lost } = linesOf(descriptor, ...given, ...Array.from({ length: 41 }, () => "end"));
        const lines = text.trimEnd().split("\n");
        const said = lines.flatMap((line) => /^(\d+) lines lost: E[A-Z]+$/.exec(line)?.[1] ?? []);
        const written = lines.filter((line) => line.startsWith("line"));
        expect(lines.filter((line) => !/^(line \d+|end|\d+ lines lost: E[A-Z]+)$/.test(line))).toEqual([]);
        expect(written).toEqual(given.filter((line) => written.includes(line)));
        expect(said.reduce((sum, each) => sum + Number(each), 0)).toBe(lost);
        expect(lines.length - said.length + lost).toBe(count + 41);
      }),
    );
  });
});

describe("a pipe whose reader stands still", () => {
  const folder = mkdtempSync(join(tmpdir(), "payments-stderr-"));
  const pipe = join(folder, "pipe");
  const module = JSON.stringify(join(packageRoot, "dist", "lib", "process", "stderr.js"));
  const script = `
    import { say } from ${module};
    for (let i = 0; i < 300; i++) say(String(i).padEnd(1_000, "."));
    console.log("written");
    process.stdin.once("data", () => { say("on"); process.exit(); }).on("end", () => process.exit());`;
  afterEach(() => rmSync(folder, { recursive: true }));

  it("holds up nobody, and is told what it has missed", async () => {
    await run(["mkfifo", pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const shell = [
      "sh",
      "-c",
      'exec "$0" --input-type=module -e "$1" 2>"$2"',
      process.execPath,
      script,
      pipe,
    ];
    const child = start(shell);
    const output = outputOf(child);
    try {
      await eventually("the end of its work", () => output.stdout === "written\n");
      let seen = drain(reader);
      child.stdin?.write("go on\n");
      await eventually("its end", () => child.exitCode !== null);
      seen += drain(reader);
      expect(seen).toMatch(/\n\d+ lines lost: EAGAIN\non\n$/);
      const lost = [...seen.matchAll(/^(\d+) lines lost/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      );
      expect(seen.match(/^\d+\.+$/gm)).toHaveLength(300 - lost);
    } finally {
      child.kill("SIGKILL");
      closeSync(reader);
    }
  });
});

/** All that is in a pipe just now. */
function drain(fd: number): string {
  const buffer = Buffer.alloc(1 << 20);
  let length = 0;
  try {
    for (;;) {
      length += readSync(fd, buffer, length, buffer.length - length, null);
    }
  } catch {
    return buffer.toString("utf8", 0, length);
  }
}
