import { describe, expect, it } from "vitest";
import { newSecret } from "../../tests/harness/receiver.js";
import { paymentsSettings, webhookTarget } from "./settings.js";

const secret = newSecret();
const read = (values: Record<string, string>) => paymentsSettings.schema.safeParse(values);

describe("a webhook", () => {
  it("is not set by default", () => {
    expect(webhookTarget(paymentsSettings.schema.parse({}))).toBeUndefined();
    // As long as it goes nowhere nobody looks at the rest.
    expect(read({ PAYMENTS_WEBHOOK_SECRET: "x" }).success).toBe(true);
  });

  it("has where it goes, and what signs it", () => {
    const { data } = read({ PAYMENTS_WEBHOOK_URL: "https://shop.example/", PAYMENTS_WEBHOOK_SECRET: secret });
    const target = { url: "https://shop.example/", secrets: secret, allowInternal: false };
    expect(data && webhookTarget(data)).toEqual(target);
  });

  it.each([
    [{ PAYMENTS_WEBHOOK_URL: "https://shop.example/" }, "PAYMENTS_WEBHOOK_SECRET"],
    [
      { PAYMENTS_WEBHOOK_URL: "https://shop.example/", PAYMENTS_WEBHOOK_SECRET: "hunter2" },
      "PAYMENTS_WEBHOOK_SECRET",
    ],
    [
      { PAYMENTS_WEBHOOK_URL: "http://hunter2.example/", PAYMENTS_WEBHOOK_SECRET: secret },
      "PAYMENTS_WEBHOOK_URL",
    ],
    [
      { PAYMENTS_WEBHOOK_URL: "https://10.0.0.1/hunter2", PAYMENTS_WEBHOOK_SECRET: secret },
      "PAYMENTS_WEBHOOK_URL",
    ],
  ])(
    "that lacks something or goes where it may not is refused by name, without the value",
    (values, name) => {
      const { error } = read(values as Record<string, string>);
      expect(error?.issues.map(({ path }) => path.join("."))).toEqual([name]);
      expect(JSON.stringify(error?.issues)).not.toContain("hunter2");
    },
  );
});
