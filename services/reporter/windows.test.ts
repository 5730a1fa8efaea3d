import { afterEach, expect, it } from "vitest";
import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { newId } from "../../lib/domain/ids.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { eventually } from "../../tests/harness/eventually.js";
import { Windows } from "./windows.js";

let windows: Windows | undefined;
afterEach(() => windows?.stop());

const ORPHANS = 1_000;
/** Opened 90 s ago, a tick a minute: the first one went by while nobody was there. */
const orphan = () => ({
  ...{ windowUuid: newId(), service: "payments-a", seed: 1n, errorRate: 0, omissionRate: 0 },
  ...{ intervalMs: 60_000, durationMs: 600_000, windowFrom: new Date(), elapsedMs: 90_000, audited: [] },
});

type Answer = (values: readonly unknown[]) => readonly object[];

/** Answers statements by their names. */
function started(
  answers: Readonly<Record<string, Answer>>,
  publish: () => Promise<void> = async () => undefined,
) {
  const asked: string[] = [];
  const sent: OutgoingMessage[] = [];
  const query = async ({ name, values }: { name: string; values: readonly unknown[] }) => {
    asked.push(name);
    return { rows: answers[name]?.(values) ?? [] };
  };
  const publisher = {
    isWritable: true,
    publishAll: async (messages: readonly OutgoingMessage[]) => {
      await publish();
      sent.push(...messages);
    },
  };
  const pool = { query } as unknown as Pool;
  windows = new Windows({ pool, publisher, logger: silentLogger, service: "payments-a", process: "p" });
  return { windows, asked, sent };
}

it("takes a thousand windows at once, and audits what they are owed although that failed at first", async () => {
  const orphans = Array.from({ length: ORPHANS }, orphan);
  const owed = new Map<string, string>();
  const left = [orphans];
  let failed = false;
  const { windows: made, asked } = started({
    reporter_take: () => left.pop() ?? [],
    reporter_enter_ticks: ([uuids, seqs, , outcomes]) => {
      if (!failed) {
        failed = true;
        throw new Error("no answer");
      }
      for (const [i, uuid] of (uuids as string[]).entries()) {
        owed.set(uuid, `${(seqs as number[])[i]} ${(outcomes as string[])[i]}`);
      }
      return [];
    },
  });
  await made.start();
  await eventually("all are audited", () => owed.size === ORPHANS);
  expect(new Set(owed.values())).toEqual(new Set(["1 unknown"]));
  expect(asked.filter((name) => name === "reporter_enter_ticks").length).toBeLessThan(20); // they share statements
});

it("goes on with a window although its opening was not answered", async () => {
  const window = orphan();
  let lost: unknown;
  const { windows: made, asked } = started({
    reporter_open: () => {
      throw new Error("no answer");
    },
    reporter_take: ([, , unsure]) => {
      lost ??= (unsure as string[])[0];
      return [];
    },
  });
  await expect(made.open({ ...window, seed: 1 })).rejects.toThrow("no answer");
  await made.start();
  await eventually("it is asked for", () => lost === window.windowUuid);
  expect(asked).toContain("reporter_renew");
});

it("sends again what the broker did not take as soon as it is back", async () => {
  const { windowUuid, elapsedMs, audited, ...rest } = orphan();
  const afterS: unknown[] = [];
  let down = true;
  const { windows: made, sent } = started(
    {
      reporter_take_unsent: ([, after]) => {
        afterS.push(after);
        return after === 0 ? [{ windowUuid, ...rest, seq: 0, status: "ok", at: new Date(), elapsedMs }] : [];
      },
    },
    async () => {
      if (down) {
        down = false;
        throw new Error("no link");
      }
    },
  );
  await made.open({ windowUuid, ...rest, seed: 1 });
  await eventually("it was tried", () => !down);
  await made.start();
  await eventually("it is sent", () => sent.length === 1);
  expect(afterS[0]).toBe(0);
  expect(audited).toEqual([]);
});
