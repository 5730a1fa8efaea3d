import { expect, it } from "vitest";
import { MODULES } from "../../app/modules.js";
import { LANES } from "../../console/src/lib/flow.js";
import { queueItems } from "./fixtures/overview.js";

const queuesOf = (module: string) => MODULES.find(({ name }) => name === module)?.queues;

it("each stop of the overview's lanes is a module, and all but the monitor, which is asked by HTTP, have queues", () => {
  const modules = LANES.flatMap(({ stops }) => stops.map(({ module }) => module));
  expect(modules.filter((module) => queuesOf(module) === undefined)).toEqual([]);
  expect(modules.filter((module) => queuesOf(module)?.length === 0)).toEqual(["monitor"]);
});

it("the fixtures' queues are of modules", () => {
  expect(queueItems.filter(({ module }) => !queuesOf(module)?.length)).toEqual([]);
});
