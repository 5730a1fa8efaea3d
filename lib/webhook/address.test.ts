import type { LookupAddress } from "node:dns";
import { describe, expect, it } from "vitest";
import { isPublic, publicLookup } from "./address.js";

describe("an address", () => {
  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.19.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "localhost",
    "",
  ])("%j is internal", (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each([
    "1.1.1.1",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
  ])("%j is public", (address) => {
    expect(isPublic(address)).toBe(true);
  });
});

describe("a name", () => {
  const resolving = (...addresses: string[]) =>
    publicLookup(((_: string, __: object, done: (error: null, found: LookupAddress[]) => void) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      )) as never);
  const ask = (lookup: ReturnType<typeof publicLookup>, all: boolean) =>
    new Promise((resolve) =>
      lookup("shop.example", { all }, (error, address, family) => resolve(error?.code ?? [address, family])),
    );

  it("gives its public addresses only", async () => {
    const lookup = resolving("10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111");
    expect(await ask(lookup, false)).toEqual(["1.1.1.1", 4]);
    expect(await ask(lookup, true)).toEqual([
      [
        { address: "1.1.1.1", family: 4 },
        { address: "2606:4700::1111", family: 6 },
      ],
      undefined,
    ]);
  });

  it("that has none is refused", async () => {
    expect(await ask(resolving("10.0.0.1", "::1"), true)).toBe("ADDRESS_REFUSED");
    expect(await ask(resolving(), false)).toBe("ADDRESS_REFUSED");
  });

  it("that cannot be resolved says why", async () => {
    const failing = publicLookup(((_: string, __: object, done: (error: Error, found: []) => void) =>
      done(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), [])) as never);
    expect(await ask(failing, true)).toBe("ENOTFOUND");
  });
});
