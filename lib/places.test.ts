import { describe, expect, it } from "vitest";
import { placesOf, placesText } from "./places.js";

describe("places of a list", () => {
  it.each([
    ["db", "db:5432"],
    ["127.0.0.1:5433", "127.0.0.1:5433"],
    ["db1:5433, db2,10.0.0.7:65535", "db1:5433,db2:5432,10.0.0.7:65535"],
    ["::1,[::1]:5433,[fe80::2]", "[::1]:5432,[::1]:5433,[fe80::2]:5432"],
    ["/run/postgresql", "/run/postgresql:5432"],
  ])("%s", (host, text) => {
    expect(placesText({ host, port: 5_432 })).toBe(text);
  });

  it.each([
    "",
    ",",
    "db,",
    "db:",
    "db:0",
    "db:65536",
    "db:http",
    "a b",
    "[db]x",
    "db:1:2",
    "postgres://db/x",
  ])("refuses %j", (host) => {
    expect(() => placesOf({ host, port: 5_432 })).toThrow("no list of hosts");
  });
});
