import { describe, expect, it } from "vitest";
import { addressOfUrl } from "./url.js";

describe("the address of a database", () => {
  it("is all that its URL says", () => {
    const url =
      "postgresql://lake%40home:p%2Fw%C3%A9@db.example:6432/data%20lake?sslmode=verify-full&sslrootcert=/ca.pem";
    expect(addressOfUrl("X_URL", url)).toEqual({
      host: "db.example",
      port: 6_432,
      database: "data lake",
      user: "lake@home",
      password: "p/wé",
      tls: "verify-full",
      rootCert: "/ca.pem",
    });
    expect(addressOfUrl("X_URL", "postgres://a:b@[::1]/c")).toMatchObject({
      host: "::1",
      port: 5_432,
      tls: "disable",
    });
  });

  it.each([
    "",
    "datalake",
    "mysql://a:secret@h/d",
    "postgres://a:secret@h",
    "postgres://a:secret@h/d?sslmode=prefer",
    "postgres://a:secret%@h/d",
    "postgres://a%:secret@h/d",
    "postgres://a:secret@h/50%",
  ])("is refused without its password: %s", (text) => {
    expect(() => addressOfUrl("X_URL", text)).toThrow(/^X_URL: (?!.*secret)/);
  });
});
