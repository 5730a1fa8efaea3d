import { describe, expect, it } from "vitest";
import { codeOf } from "../../lib/errors.js";
import { Access, type AccessSettings } from "./access.js";

const LOOPBACK: AccessSettings = {
  HTTP_HOST: "127.0.0.1",
  HTTP_ALLOWED_HOSTS: "",
  HTTP_TRUSTED_PROXIES: "",
  HTTP_API_KEYS: "",
  CONSOLE_PASSWORD: "",
  CONSOLE_VIEWER_PASSWORD: "",
  CONSOLE_SESSION_S: 60,
};
const BEYOND: AccessSettings = {
  ...LOOPBACK,
  HTTP_HOST: "0.0.0.0",
  CONSOLE_PASSWORD: "act on payments",
  CONSOLE_VIEWER_PASSWORD: "look at payments",
};

const refusal = (attempt: () => unknown): string | undefined => {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
};

/** What a browser sends back of a Set-Cookie header. */
const sent = (setCookie: string) => ({ cookie: `other=1; ${setCookie.split(";")[0]}` });

describe("settings", () => {
  it.each<[string, Partial<AccessSettings>, string | undefined]>([
    ["loopback without a password", LOOPBACK, undefined],
    ["beyond loopback with one", BEYOND, undefined],
    ["beyond loopback without one", { ...BEYOND, CONSOLE_PASSWORD: "" }, "SETTINGS_INVALID"],
    ["a proxy's name without one", { HTTP_ALLOWED_HOSTS: "[::1], pay.example" }, "SETTINGS_INVALID"],
    [
      "a proxy's name with one",
      { ...BEYOND, HTTP_HOST: "::1", HTTP_ALLOWED_HOSTS: "pay.example" },
      undefined,
    ],
    ["a trusted proxy without one", { HTTP_TRUSTED_PROXIES: "127.0.0.1" }, "SETTINGS_INVALID"],
    ["names of loopback without one", { HTTP_ALLOWED_HOSTS: "[::1], localhost" }, undefined],
    ["API keys without one", { HTTP_API_KEYS: `a=${"0".repeat(64)}` }, "SETTINGS_INVALID"],
    ["a short one beyond loopback", { ...BEYOND, CONSOLE_PASSWORD: "eleven char" }, "SETTINGS_INVALID"],
    ["a short one for viewers", { ...BEYOND, CONSOLE_VIEWER_PASSWORD: "look" }, "SETTINGS_INVALID"],
    ["a short one on loopback", { CONSOLE_PASSWORD: "act" }, undefined],
    ["viewers alone", { ...LOOPBACK, CONSOLE_VIEWER_PASSWORD: "look" }, "SETTINGS_INVALID"],
    ["one password for both", { ...BEYOND, CONSOLE_VIEWER_PASSWORD: "act on payments" }, "SETTINGS_INVALID"],
  ])("%s", (_, settings, code) => {
    expect(refusal(() => new Access({ ...LOOPBACK, ...settings }))).toBe(code);
  });
});

it("on loopback everybody is an operator", () => {
  expect(new Access(LOOPBACK).requireOperator({})).toMatchObject({ role: "operator" });
});

describe("a password", () => {
  it("tells operators from viewers, and the cookie is believed by every process", () => {
    const [operator, cookie] = new Access(BEYOND, () => 0).signIn(
      { password: "act on payments", name: "Ana" },
      {},
      "a",
    );
    expect(operator).toEqual({ role: "operator", name: "Ana", untilMs: 60_000 });
    expect(cookie).toContain("; HttpOnly; SameSite=Strict");
    expect(new Access(BEYOND, () => 1).requireOperator(sent(cookie))).toEqual(operator);
    const [viewer, other] = new Access(BEYOND).signIn({ password: "look at payments" }, {}, "a");
    expect(viewer).toMatchObject({ role: "viewer", name: "viewer" });
    expect(new Access(BEYOND).requireViewer(sent(other))).toEqual(viewer);
    expect(refusal(() => new Access(BEYOND).requireOperator(sent(other)))).toBe("CONSOLE_READ_ONLY");
  });

  it("that is changed ends sessions, and so does time", () => {
    let now = 0;
    const access = new Access(BEYOND, () => now);
    const [, cookie] = access.signIn({ password: "act on payments" }, {}, "a");
    expect(access.personOf(sent(cookie))).toBeDefined();
    expect(
      new Access({ ...BEYOND, CONSOLE_PASSWORD: "act on them all" }, () => now).personOf(sent(cookie)),
    ).toBeUndefined();
    now = 60_000;
    expect(refusal(() => access.requireViewer(sent(cookie)))).toBe("CONSOLE_SIGNED_OUT");
  });

  const at = (now: () => number) => {
    const access = new Access(BEYOND, now);
    const tryFrom = (password: string, address: string) =>
      refusal(() => access.signIn({ password }, { "x-forwarded-for": `${Math.random()}` }, address));
    return { right: tryFrom.bind(undefined, "act on payments"), wrong: tryFrom.bind(undefined, "wrong") };
  };

  it("that is wrong five times has none from there looked at for a minute, and those of others at once", () => {
    let now = 0;
    const { right, wrong } = at(() => now);
    for (let i = 0; i < 5; i++) {
      expect(wrong("a")).toBe("CONSOLE_PASSWORD_REFUSED");
    }
    expect(right("a")).toBe("RATE_LIMITED");
    expect(right("b")).toBeUndefined();
    now = 60_000;
    expect(right("a")).toBeUndefined();
  });

  it("that is wrong counts for the /64 of an IPv6 address, and for IPv4 however it is written", () => {
    const { right, wrong } = at(() => 0);
    for (const address of [
      "2001:db8::1",
      "2001:DB8:0:0:1::2",
      "2001:db8::3%eth0",
      "2001:db8:0:0:a:b:c:d",
      "2001:db8::",
    ]) {
      expect(wrong(address)).toBe("CONSOLE_PASSWORD_REFUSED");
    }
    expect([right("2001:db8::9"), right("2001:db8:0:1::9")]).toEqual(["RATE_LIMITED", undefined]);
    for (let i = 0; i < 5; i++) {
      wrong(i % 2 === 0 ? "::ffff:10.0.0.1" : "10.0.0.1");
    }
    expect([right("10.0.0.1"), right("::ffff:10.0.0.2"), right("::1")]).toEqual([
      "RATE_LIMITED",
      undefined,
      undefined,
    ]);
  });

  it("that is wrong a hundred times, from wherever, has none looked at until the minute is over", () => {
    let now = 0;
    const { right, wrong } = at(() => now);
    for (let i = 0; i < 100; i++) {
      now = 100 * i;
      expect(wrong(`a${i}`)).toBe("CONSOLE_PASSWORD_REFUSED");
    }
    expect(right("b")).toBe("RATE_LIMITED");
    now = 60_000;
    expect(right("b")).toBeUndefined();
  });
});

it.each(["", "x", "x.y", "W10.", "a.b.c"])("a cookie that nobody sealed is nobody's: %j", (value) => {
  expect(new Access(BEYOND).personOf({ cookie: `payments_console=${value}` })).toBeUndefined();
});

it("a cookie whose text was changed is nobody's", () => {
  const [, cookie] = new Access(BEYOND).signIn({ password: "look at payments" }, {}, "a");
  const seal = cookie.split(";")[0]?.split(".")[1];
  const text = Buffer.from(JSON.stringify(["operator", "viewer", 1e15])).toString("base64url");
  expect(new Access(BEYOND).personOf({ cookie: `payments_console=${text}.${seal}` })).toBeUndefined();
});

describe("a page of another origin", () => {
  const own = { host: "localhost:8080" };
  it.each([
    [{}, undefined],
    [{ "sec-fetch-site": "same-origin" }, undefined],
    [{ "sec-fetch-site": "none" }, undefined],
    [{ origin: "http://localhost:8080" }, undefined],
    [{ "sec-fetch-site": "same-site", origin: "http://localhost:9000" }, "ORIGIN_REFUSED"],
    [{ "sec-fetch-site": "cross-site", origin: "https://shop.example" }, "ORIGIN_REFUSED"],
    [{ origin: "https://shop.example" }, "ORIGIN_REFUSED"],
  ])("sees and does nothing: %j", (headers, code) => {
    expect(refusal(() => new Access(LOOPBACK).requireViewer({ ...own, ...headers }))).toBe(code);
    expect(refusal(() => new Access(LOOPBACK).requireOperator({ ...own, ...headers }))).toBe(code);
  });
});
