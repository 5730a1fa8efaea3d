import { expect, it } from "vitest";
import { deferred } from "./timing.js";
import { Turns } from "./turns.js";

it("works come one after the other, also after one that failed", async () => {
  const turns = new Turns();
  const [first, second] = [deferred<string>(), deferred<string>()];
  const began: string[] = [];
  const take = (name: string, work: Promise<string>) =>
    turns.take(() => {
      began.push(name);
      return work;
    });
  const taken = [take("first", first.promise), take("second", second.promise)];
  await Promise.resolve();
  expect(began).toEqual(["first"]);
  first.reject(new Error("no"));
  await expect(taken[0]).rejects.toThrow("no");
  second.resolve("done");
  expect(await taken[1]).toBe("done");
  expect(began).toEqual(["first", "second"]);
});
