import { expect, test } from "vitest";
import { withRoom } from "./room.js";
import { serviceQueues } from "./topology.js";

const FAMILIES = ["one", "two"].flatMap((service) => serviceQueues(service, { service, events: ["a", "b"] }));
const QUEUE = FAMILIES.find(({ event }) => event === "b")?.work;
const publisher = (messages: number, isUp = true) => ({
  isUp,
  messagesIn: async (queue: string) => (queue === QUEUE ? messages : 0),
});

test("a question has room while no queue of it and its answer holds over a thousand, and the broker is there", async () => {
  const asked = { first: ["a"], second: ["b"], third: ["a", "b"] };
  expect(await withRoom(publisher(1_000), FAMILIES, asked)).toEqual(["first", "second", "third"]);
  expect(await withRoom(publisher(1_001), FAMILIES, asked)).toEqual(["first"]);
  expect(await withRoom(publisher(0, false), FAMILIES, asked)).toEqual([]);
});
