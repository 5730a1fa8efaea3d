import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Arrival, EventReader } from "./event_stream.js";

const read = (...pieces: string[]): Arrival[] => {
  const reader = new EventReader();
  return pieces.flatMap((piece) => reader.read(piece));
};

describe("EventReader", () => {
  it("reads events with name, id and data of several lines", () => {
    expect(read('id: 7\nevent: overview\ndata: {"a":\ndata: 1}\n\n')).toEqual([
      { kind: "event", name: "overview", id: "7", data: '{"a":\n1}' },
    ]);
  });

  it("tells comments, which are heartbeats", () => {
    expect(read(": still here\n\n")).toEqual([{ kind: "comment" }]);
  });

  it("keeps the id for events that bear none, and forgets the name", () => {
    expect(read("id:1\nevent:resync\ndata:\n\ndata: x\n\n")).toEqual([
      { kind: "event", name: "resync", id: "1", data: "" },
      { kind: "event", name: "message", id: "1", data: "x" },
    ]);
  });

  it("gives nothing for what is not complete, or has no data", () => {
    expect(read("event: overview\n\nid: 9\ndata: half")).toEqual([]);
  });

  it("takes pieces of any size and any line's end", () => {
    const text = ": hi\r\nid: 1\r\nevent: a\r\ndata: é 1\r\ndata\r\n\r\nid: 2\rdata: 2\r\rdata: 3\n\n";
    const whole = read(text, "");
    expect(whole).toHaveLength(4);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(read(...at.slice(1).map((end, i) => text.slice(at[i], end)))).toEqual(whole);
      }),
    );
  });
});
