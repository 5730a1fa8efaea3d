import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Gatherer } from "./gatherer.js";
import { type Deferred, deferred } from "./timing.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A gatherer whose groups end when the test says so. */
function gathering(options: { max?: number; atOnce?: number } = {}) {
  const groups: { items: readonly string[]; done: Deferred<void> }[] = [];
  const gatherer = new Gatherer<string, string>({
    waitMs: 3,
    max: options.max ?? 100,
    atOnce: options.atOnce ?? 1,
    work: async (items) => {
      const group = { items, done: deferred<void>() };
      groups.push(group);
      await group.done.promise;
      return items.map((item) => `${item}!`);
    },
  });
  return { gatherer, groups, sizes: () => groups.map(({ items }) => items.join("")) };
}

describe("Gatherer", () => {
  it("makes a group of what comes while the first waits, and gives each its own result", async () => {
    const { gatherer, groups, sizes } = gathering();
    const results = ["a", "b"].map((item) => gatherer.add(item));
    await vi.advanceTimersByTimeAsync(2);
    results.push(gatherer.add("c"));
    expect(sizes()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes()).toEqual(["abc"]);
    groups[0]?.done.resolve();
    expect(await Promise.all(results)).toEqual(["a!", "b!", "c!"]);
  });

  it("waits no longer once a group is full", () => {
    const { gatherer, sizes } = gathering({ max: 2, atOnce: 2 });
    for (const item of "abc") {
      void gatherer.add(item);
    }
    expect(sizes()).toEqual(["ab"]);
  });

  it("lets a group grow while as many are at work as may be, then begins it at once", async () => {
    const { gatherer, groups, sizes } = gathering();
    void gatherer.add("a");
    await vi.advanceTimersByTimeAsync(3);
    void gatherer.add("b");
    await vi.advanceTimersByTimeAsync(50);
    void gatherer.add("c");
    expect(sizes()).toEqual(["a"]);
    groups[0]?.done.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual(["a", "bc"]);
  });

  it("leaves nobody behind of a crowd that is more than a group", async () => {
    const { gatherer, groups, sizes } = gathering({ max: 2 });
    for (const item of "abcdefg") {
      void gatherer.add(item);
    }
    for (let i = 0; i < 4; i++) {
      groups[i]?.done.resolve();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(sizes()).toEqual(["ab", "cd", "ef", "g"]);
  });

  it("has a group that comes in the meantime wait its time when there is room", async () => {
    const { gatherer, groups, sizes } = gathering();
    void gatherer.add("a");
    await vi.advanceTimersByTimeAsync(3);
    void gatherer.add("b");
    groups[0]?.done.resolve();
    await vi.advanceTimersByTimeAsync(2);
    void gatherer.add("c");
    expect(sizes()).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sizes()).toEqual(["a", "bc"]);
  });

  it("fails all of a group, and none of the next", async () => {
    const { gatherer, groups } = gathering();
    const failed = Promise.allSettled([gatherer.add("a"), gatherer.add("b")]);
    await vi.advanceTimersByTimeAsync(3);
    groups[0]?.done.reject(new Error("no"));
    expect((await failed).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const next = gatherer.add("c");
    await vi.advanceTimersByTimeAsync(3);
    groups[1]?.done.resolve();
    expect(await next).toBe("c!");
  });
});
