import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { get, onRefusal, post, queryText } from "./api.js";
import type { ApiError } from "./problem.js";

const fetched = vi.fn<typeof fetch>();
beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => vi.unstubAllGlobals());

const answer = (status: number, body: string) => fetched.mockResolvedValue(new Response(body, { status }));
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: ApiError) => error,
  );

it("gives the answer, with ids and amounts as they came", async () => {
  answer(200, '{"id":"1970670598291982290","amount":"9007199254740993.10"}');
  expect(await get("payments/1")).toEqual({ id: "1970670598291982290", amount: "9007199254740993.10" });
  expect(fetched.mock.calls[0]?.[0]).toBe("/console/api/payments/1");
});

it("sends an action as JSON under its key", async () => {
  answer(202, "{}");
  await post("runs/r1/cancel", { reason: "too large" }, "k1");
  expect(fetched.mock.calls[0]?.[1]).toMatchObject({
    method: "POST",
    body: '{"reason":"too large"}',
    headers: { "Content-Type": "application/json", "Idempotency-Key": "k1" },
  });
});

describe("a refusal", () => {
  it("tells the problem's code, words and fields", async () => {
    const seen: string[] = [];
    onRefusal(({ code }) => seen.push(code));
    const errors = [{ in: "body", pointer: "#/from", detail: "is no date" }];
    const detail = "The request does not fit its schema.";
    answer(400, JSON.stringify({ code: "REQUEST_INVALID", detail, trace_id: "t", retryable: false, errors }));
    const error = await failure(post("runs/preview", {}));
    expect(error).toMatchObject({ status: 400, code: "REQUEST_INVALID", traceId: "t", mayBeDone: false });
    expect(error.message).toBe("The request does not fit its schema.");
    expect([...error.fields]).toEqual([["from", "is no date"]]);
    expect(seen).toEqual(["REQUEST_INVALID"]);
  });

  it("by a proxy, which knows no problems, has a code too", async () => {
    answer(503, "<html><body>Service Unavailable</body></html>");
    expect(await failure(get("overview"))).toMatchObject({ status: 503, code: "HTTP_503", mayBeDone: true });
  });
});

it("tells nobody's answer, and half of one, from a refusal", async () => {
  fetched.mockRejectedValue(new TypeError("Failed to fetch"));
  expect(await failure(get("overview"))).toMatchObject({ status: 0, code: "UNREACHABLE", mayBeDone: true });
  answer(200, '{"items": [');
  expect(await failure(get("overview"))).toMatchObject({ status: 0, code: "UNREACHABLE" });
});

it("ends with the caller's signal, not with an error of the server", async () => {
  const left = new AbortController();
  fetched.mockImplementation(async () => {
    left.abort();
    throw left.signal.reason;
  });
  expect(await failure(get("runs", left.signal))).toMatchObject({ name: "AbortError" });
});

it("writes queries without what is empty", () => {
  expect(queryText({ cursor: undefined, q: "" })).toBe("");
  expect(queryText({ q: "a&b=ü", state: "OPEN" })).toBe("?q=a%26b%3D%C3%BC&state=OPEN");
});
