import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { deferred } from "../timing.js";
import { Circuit } from "./circuit.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const failing = async () => {
  throw new Error("no");
};
const fine = async () => "fine";

async function broken(): Promise<Circuit> {
  const circuit = new Circuit({ name: "it" });
  for (let i = 0; i < 5; i++) {
    await expect(circuit.call(failing)).rejects.toThrow("no");
  }
  return circuit;
}

test("five failures in a row open it, and nothing goes out for a minute", async () => {
  const circuit = await broken();
  expect([circuit.isOpen, circuit.waitMs]).toEqual([true, 60_000]);
  const call = vi.fn(fine);
  await expect(circuit.call(call)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await vi.advanceTimersByTimeAsync(59_999);
  await expect(circuit.call(call)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(call).not.toHaveBeenCalled();
});

test("a success in between counts anew", async () => {
  const circuit = new Circuit({ name: "it" });
  for (let i = 0; i < 9; i++) {
    await (i === 4 ? circuit.call(fine) : circuit.call(failing).catch(() => undefined));
  }
  expect(circuit.isOpen).toBe(false);
});

test("after it one call tries; others wait for what it finds", async () => {
  const circuit = await broken();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([circuit.isOpen, circuit.waitMs]).toEqual([true, 0]);
  const probe = deferred<string>();
  const first = circuit.call(() => probe.promise);
  const second = vi.fn(fine);
  const other = circuit.call(second);
  await vi.advanceTimersByTimeAsync(10);
  expect(second).not.toHaveBeenCalled();
  expect(circuit.waitMs).toBeGreaterThan(0);
  probe.resolve("back");
  expect(await Promise.all([first, other])).toEqual(["back", "fine"]);
  expect([circuit.isOpen, circuit.waitMs]).toEqual([false, 0]);
});

test("a probe that fails opens it for another minute", async () => {
  const circuit = await broken();
  await vi.advanceTimersByTimeAsync(60_000);
  await expect(circuit.call(failing)).rejects.toThrow("no");
  expect(circuit.waitMs).toBe(60_000);
});

test("a call has 30 s; what takes longer is a failure", async () => {
  const circuit = new Circuit({ name: "it", failures: 1 });
  const call = circuit.call(() => new Promise(() => undefined));
  const failed = expect(call).rejects.toThrow();
  await vi.advanceTimersByTimeAsync(29_999);
  expect(circuit.isOpen).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await failed;
  expect(circuit.isOpen).toBe(true);
});
