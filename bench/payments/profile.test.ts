import { expect, it } from "vitest";
import { packageRoot } from "../../lib/root.js";
import { summarise } from "./profile.js";

const frame = (id: number, functionName: string, url = "") => ({
  id,
  callFrame: { functionName, url, lineNumber: 4 },
});

it("a profile is summed up by function and by part, without what was idle", () => {
  const ours = `file://${packageRoot}/dist`;
  const { functions, parts, totalUs } = summarise([
    {
      nodes: [
        frame(1, "(idle)"),
        frame(2, "(garbage collector)"),
        frame(3, "parse", `${ours}/lib/http/body.js`),
        frame(4, "", `${ours}/lib/http/body.js`),
        frame(5, "write", "node:internal/streams/writable"),
        frame(6, "encode", `file://${packageRoot}/node_modules/@a/b/lib/x.js`),
        frame(7, "writev"),
        frame(8, "parse", `${ours}/lib/http/body.js`), // called from somewhere else
      ],
      samples: [1, 2, 3, 4, 5, 6, 7, 8, 3],
      timeDeltas: [1000, 10, 20, 30, 40, 50, 60, 70, -5],
    },
  ]);
  expect(totalUs).toBe(280);
  expect(parts).toEqual([
    { name: "lib/http", us: 120 },
    { name: "native", us: 60 },
    { name: "node_modules/@a/b", us: 50 },
    { name: "node:internal/streams", us: 40 },
    { name: "(garbage collector)", us: 10 },
  ]);
  expect(functions.slice(0, 2)).toEqual([
    { name: "parse lib/http/body.js:5", us: 90 },
    { name: "writev", us: 60 },
  ]);
});
