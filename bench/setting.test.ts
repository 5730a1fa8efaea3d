import { expect, it } from "vitest";
import { DURABILITY, requireDurability } from "./machine.js";
import { readChange } from "./setting.js";

it("readChange takes a name and a value", () => {
  expect(readChange("max_wal_size=1GB")).toEqual({ name: "max_wal_size", value: "1GB" });
  expect(readChange("Work_Mem = 64 MB ")).toEqual({ name: "work_mem", value: "64 MB" });
});

it.each(["", "max_wal_size", "=1", "work_mem=", "work_mem; DROP=1", "1x=2"])(
  "readChange refuses '%s'",
  (text) => {
    expect(() => readChange(text)).toThrow("NAME=VALUE");
  },
);

it.each([...Object.keys(DURABILITY), "FSYNC", "port"])("readChange refuses to touch %s", (name) => {
  expect(() => readChange(`${name}=off`)).toThrow(/keeps commits safe|is reached/);
});

it("requireDurability names every weak setting", () => {
  const safe = { fsync: "on", full_page_writes: "on", wal_level: "replica", synchronous_commit: "on" };
  expect(() => requireDurability(safe)).not.toThrow();
  expect(() => requireDurability({ ...safe, wal_level: "minimal", fsync: "off" })).toThrow(
    "fsync = off, wal_level = minimal",
  );
  expect(() => requireDurability({})).toThrow("fsync = undefined");
});
