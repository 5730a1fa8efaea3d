import pg from "pg";
import { vi } from "vitest";
import { ChunkSource } from "../../etl/generate/source.js";
import { chunkOf, planRun } from "../../etl/plan.js";
import type { PlannedSpec } from "../../etl/spec.js";
import * as publisherModule from "../../lib/broker/publisher.js";
import * as probe from "../../lib/probe.js";
import * as timing from "../../lib/timing.js";
import type { Broker } from "./broker.js";
import { REJECTED_ROWS } from "./database.js";
import type { Postgres } from "./postgres.js";
import type { Actor } from "./scheduler.js";

/** What code under test reaches in place of servers and clocks. */
export interface Surroundings {
  readonly postgres: Postgres;
  readonly broker: Broker;
  /** Whose objects are being made. */
  readonly actor: Actor;
}

let present: Surroundings | undefined;

/** Fakes that are made from now on belong there. */
export function surroundWith(surroundings: Surroundings): void {
  present = surroundings;
}

function surroundings(): Surroundings {
  if (present === undefined) throw new Error("no simulation is running");
  return present;
}

/** Whose signal it is says who pauses. */
const pauses = new WeakMap<AbortSignal, () => Promise<void>>();

export function pauseWith(signal: AbortSignal, turn: () => Promise<void>): void {
  pauses.set(signal, turn);
}

const fakes: { mockClear: () => unknown }[] = [];

/** Puts fakes in the place of driver, publisher, generator and clock; `vi.restoreAllMocks` takes them away. */
export function installFakes(): void {
  fakes.push(
    vi.spyOn(pg, "Pool").mockImplementation(FakePool as never),
    vi.spyOn(publisherModule, "Publisher").mockImplementation(FakePublisher as never),
    vi.spyOn(ChunkSource.prototype, "stream").mockImplementation(generate),
    vi.spyOn(timing, "pause").mockImplementation(pause),
    // Nobody listens at the address that the fakes have.
    vi.spyOn(probe, "askPostgres").mockResolvedValue("silent"),
  );
}

// Called with `new`, and what they return is taken.
function FakePool() {
  const { postgres, actor } = surroundings();
  return postgres.pool(actor);
}

function FakePublisher() {
  const { broker, actor } = surroundings();
  return {
    publish: (queue: string, body: string) => broker.publish(actor, queue, body),
    get isWritable() {
      return broker.up;
    },
  };
}

/** Spies remember each call and what it gave: a whole simulation. */
export function forgetCalls(): void {
  for (const fake of fakes) fake.mockClear();
}

async function pause(_: number, signal?: AbortSignal): Promise<void> {
  const turn = signal && pauses.get(signal);
  if (turn === undefined) throw new Error("somebody pauses who is not known to the simulation");
  await turn();
}

/** A chunk as a buffer of which each byte stands for a row, and says which chunk it is of. */
async function* generate(spec: PlannedSpec, chunkNo: number, onKey: Parameters<ChunkSource["stream"]>[2]) {
  const { fromRow, toRow } = chunkOf(planRun(spec), spec, chunkNo);
  const rows = toRow - fromRow;
  yield Buffer.alloc(rows, chunkNo);
  const classes = [{ class: "bad_code", outcome: "rejected", injected: REJECTED_ROWS }];
  onKey({ rows, accepted: rows - REJECTED_ROWS, digestA: 0, digestB: 0, classes });
}
