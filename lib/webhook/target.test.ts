import { describe, expect, it } from "vitest";
import { newSecret } from "../../tests/harness/receiver.js";
import { problemsOf } from "./target.js";

const secrets = newSecret();
const problemsWith = (url: string, allowInternal = false) => problemsOf({ url, secrets, allowInternal });

describe("a target", () => {
  it.each(["https://shop.example/hooks", "https://1.1.1.1:8443/", "https://[2606:4700::1111]/"])(
    "may be %s",
    (url) => {
      expect(problemsWith(url)).toEqual({});
    },
  );

  it.each([
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0/",
    "http://shop.example/",
  ])("may be %s only where internal ones are allowed", (url) => {
    expect(problemsWith(url).url).toMatch(/internal|https/);
    expect(problemsWith(url, true)).toEqual({});
  });

  it.each(["shop.example", "ftp://shop.example/", "https://", "https://user:pass@shop.example/"])(
    "is never %s",
    (url) => {
      expect(problemsWith(url, true).url).toBeDefined();
    },
  );

  it("has a secret", () => {
    const with_ = (other: string) =>
      problemsOf({ url: "https://shop.example/", secrets: other, allowInternal: false });
    expect(with_("")).toEqual({ secrets: "is missing" });
    expect(with_("whsec_x").secrets).toBeDefined();
    expect(with_(`${secrets} ${newSecret()}`)).toEqual({});
  });
});
