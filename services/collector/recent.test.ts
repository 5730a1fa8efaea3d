import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Recent } from "./recent.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const asking = (answer: (n: number) => string | undefined) => {
  const asked: string[] = [];
  const recent = new Recent<string>(async (key) => {
    asked.push(key);
    return answer(asked.length);
  });
  return { recent, asked };
};

it("asks once for all who ask at once, or within half a second, and then anew", async () => {
  const { recent, asked } = asking((n) => `answer ${n}`);
  expect(await Promise.all([recent.get("a"), recent.get("a"), recent.get("b")])).toEqual([
    "answer 1",
    "answer 1",
    "answer 2",
  ]);
  vi.advanceTimersByTime(499);
  expect(await recent.get("a")).toBe("answer 1");
  vi.advanceTimersByTime(1);
  expect(await recent.get("a")).toBe("answer 3");
  expect(asked).toEqual(["a", "b", "a"]);
});

it("keeps neither what is not there nor what failed", async () => {
  const { recent } = asking((n) => {
    if (n === 2) {
      throw new Error("away");
    }
    return n === 1 ? undefined : "there";
  });
  expect(await recent.get("a")).toBeUndefined();
  await expect(recent.get("a")).rejects.toThrow("away");
  expect(await recent.get("a")).toBe("there");
});

it("keeps no more than it may: the oldest goes", async () => {
  const { recent, asked } = asking(() => "there");
  for (let i = 0; i <= 10_000; i++) {
    await recent.get(`k${i}`);
  }
  await recent.get("k1");
  expect(asked).toHaveLength(10_001);
  await recent.get("k0");
  expect(asked).toHaveLength(10_002);
});
