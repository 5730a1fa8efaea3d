import { expect, it } from "vitest";
import { readWebhookKeys } from "./source_keys.js";

const [ONE, TWO] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `whsec_${"AbCd".repeat(8)}`];

it("gives a source its keys, two while it changes", () => {
  const keys = readWebhookKeys("S", `shop=${ONE}, ads-1=${TWO},shop=${TWO},`);
  expect([...(keys ?? [])].map(([source, own]) => [source, own.length])).toEqual([
    ["shop", 2],
    ["ads-1", 1],
  ]);
});

it.each(["", " ", ","])("is unset as %j", (setting) => {
  expect(readWebhookKeys("S", setting)).toBeUndefined();
});

it.each([`Shop=${ONE}`, ONE, "shop=secret", `=${ONE}`, `shop=${ONE}x!`])(
  "refuses %s by its place and repeats none of it",
  (entry) => {
    expect(() => readWebhookKeys("S", `ok=${ONE},${entry}`)).toThrow(
      expect.objectContaining({
        code: "SETTINGS_INVALID",
        message: expect.stringMatching(/^S: entry 2 is not (?!.*MfKQ)/),
      }),
    );
  },
);
