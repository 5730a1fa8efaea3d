import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
