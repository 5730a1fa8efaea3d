import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sendOnce, unansweredOf } from "./intents.js";

const fetched = vi.fn<typeof fetch>();
beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => vi.unstubAllGlobals());

const answers = (status: number, body: object) =>
  fetched.mockResolvedValueOnce(new Response(JSON.stringify(body), { status }));
const heal = (month: string) => ({ path: `months/${month}/heal`, body: {} });
const sent = () =>
  fetched.mock.calls.map(([, init]) => {
    const headers = init?.headers as Record<string, string>;
    return { key: headers["Idempotency-Key"], body: JSON.parse(String(init?.body)) as object };
  });

it("sends again what got no answer, word for word and under its key, until it is told what became of it", async () => {
  fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  answers(504, {});
  answers(429, { code: "RATE_LIMITED" });
  answers(200, { state: "done" });
  answers(200, { state: "done" });
  const once = (reason: string, expected: number) => sendOnce(heal("2025-01"), { reason, expected });
  await expect(once("a tpyo", 3)).rejects.toMatchObject({ status: 0 });
  expect(unansweredOf(heal("2025-01"))?.body.reason).toBe("a tpyo");
  expect(unansweredOf(heal("2025-02"))).toBeUndefined();
  await expect(once("a typo", 4)).rejects.toMatchObject({ status: 504 });
  // Says nothing of what was sent before.
  await expect(once("a typo", 4)).rejects.toMatchObject({ status: 429 });
  expect(await once("a typo", 4)).toEqual({ state: "done" });
  expect(unansweredOf(heal("2025-01"))).toBeUndefined();
  await once("a typo", 4);
  const [first, second, third, fourth, fifth] = sent();
  expect(first).toEqual({
    key: expect.stringMatching(/^[0-9a-f]{32}$/),
    body: { reason: "a tpyo", expected: 3 },
  });
  expect([second, third, fourth]).toEqual([first, first, first]);
  expect(fifth?.body).toEqual({ reason: "a typo", expected: 4 });
  expect(fifth?.key).not.toBe(first?.key);
});

it("takes a refusal for not done: the next is another action", async () => {
  answers(409, { code: "CONSOLE_ACTION_RUNNING", retryable: true });
  answers(503, { code: "OVERLOADED", retryable: true });
  await expect(sendOnce(heal("2025-03"), { reason: "as agreed" })).rejects.toMatchObject({ status: 409 });
  expect(unansweredOf(heal("2025-03"))).toBeUndefined();
  await expect(sendOnce(heal("2025-03"), { reason: "as agreed" })).rejects.toMatchObject({ status: 503 });
  expect(unansweredOf(heal("2025-03"))).toBeUndefined();
  expect(sent()[1]?.key).not.toBe(sent()[0]?.key);
});

it("what is on its way is the same action for a dialog that is opened anew, also once its answer is there", async () => {
  const intent = heal("2025-04");
  let arrive!: (answer: Response) => void;
  fetched.mockReturnValueOnce(
    new Promise((resolve) => {
      arrive = resolve;
    }),
  );
  const first = sendOnce(intent, { reason: "as agreed" });
  const seen = unansweredOf(intent);
  expect(seen?.body).toEqual({ reason: "as agreed" });
  arrive(new Response("{}"));
  await first;
  answers(200, {});
  await sendOnce(intent, { reason: "as agreed" }, seen);
  expect(sent()[1]).toEqual(sent()[0]);
  expect(unansweredOf(intent)).toBeUndefined();
});
