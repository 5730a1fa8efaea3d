import { expect, it } from "vitest";
import { requireOnePrimary } from "./hosts.js";

const primary = (name: string, startedAt = name) => ({ name, role: "primary", startedAt }) as const;
const standby = (name: string) => ({ name, role: "standby", startedAt: name }) as const;

it("two primaries in one list are told by name", () => {
  expect(() => requireOnePrimary([primary("db1:5432"), standby("db2:5432"), primary("db3:5432")])).toThrow(
    /^db1:5432 and db3:5432 are primaries: .* Stop the one that the failover left/,
  );
});

it.each([
  ["a primary and its standbys", [standby("db1:5432"), primary("db2:5432"), standby("db3:5432")]],
  ["one server by two names", [primary("pooler1:6432", "noon"), primary("pooler2:6432", "noon")]],
  ["nobody who could be asked", []],
])("%s: nothing to tell", (_, servers) => {
  expect(() => requireOnePrimary(servers)).not.toThrow();
});
