import { describe, expect, it } from "vitest";
import { deferred } from "../timing.js";
import { Lifecycle, type Part } from "./lifecycle.js";

function recorded(log: string[], name: string, faults: Partial<Part> = {}): Part {
  const note = (what: string) => async () => {
    log.push(`${what} ${name}`);
  };
  return { name, start: note("start"), drain: note("drain"), stop: note("stop"), ...faults };
}

describe("a lifecycle", () => {
  it("starts parts in order, drains them all before it stops them, last first", async () => {
    const log: string[] = [];
    const lifecycle = new Lifecycle(() => [recorded(log, "a"), recorded(log, "b")]);
    await lifecycle.start();
    await lifecycle.stop();
    expect(log).toEqual(["start a", "start b", "drain b", "drain a", "stop b", "stop a"]);
  });

  it("stops every part after a start that failed, and tells why it failed", async () => {
    const log: string[] = [];
    const start = () => Promise.reject(new Error("no port"));
    const lifecycle = new Lifecycle(() => [
      recorded(log, "a"),
      recorded(log, "b", { start }),
      recorded(log, "c"),
    ]);
    await expect(lifecycle.start()).rejects.toThrow("no port");
    await lifecycle.stop();
    expect(log.filter((line) => line.startsWith("stop"))).toEqual(["stop c", "stop b", "stop a"]);
  });

  it("stops all parts though one fails to, and tells of it", async () => {
    const log: string[] = [];
    const stop = () => Promise.reject(new Error("stuck"));
    const lifecycle = new Lifecycle(() => [recorded(log, "a"), recorded(log, "b", { stop })]);
    await expect(lifecycle.stop()).rejects.toThrow("stuck");
    expect(log).toContain("stop a");
  });

  it("starts nothing more once it is told to stop", async () => {
    const log: string[] = [];
    const waiting = deferred<void>();
    const lifecycle = new Lifecycle(() => [
      recorded(log, "a", { start: () => waiting.promise }),
      recorded(log, "b"),
    ]);
    const started = lifecycle.start();
    const stopped = lifecycle.stop();
    waiting.resolve();
    await Promise.all([started, stopped]);
    expect(log).not.toContain("start b");
  });

  it("is as ready as its parts: a server that one of them misses is down", async () => {
    const of = (states: Record<string, "up" | "down">) => ({ dependencies: async () => states });
    const lifecycle = new Lifecycle(() => [
      recorded([], "a", of({ postgres: "down" })),
      recorded([], "b", of({ postgres: "up", rabbitmq: "up" })),
      recorded([], "c"),
    ]);
    expect(await lifecycle.dependencies()).toEqual({ postgres: "down", rabbitmq: "up" });
  });
});
