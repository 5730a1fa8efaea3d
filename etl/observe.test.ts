import { describe, expect, it } from "vitest";
import type { Delivery, Outcome } from "../lib/broker/delivery.js";
import { messageMetrics } from "../lib/observability/message_metrics.js";
import { createRegistry, register } from "../lib/observability/registry.js";
import { etlMetrics } from "./metrics.js";
import { StepObserver, traceId } from "./observe.js";

function delivery(body: string): Delivery {
  const never = new AbortController().signal;
  return {
    body: Buffer.from(body),
    headers: {},
    messageId: undefined,
    attempt: 1,
    redelivered: false,
    deliveryCount: 0,
    lost: never,
    overdue: never,
  };
}

function observed() {
  const registry = createRegistry();
  const messages = register(registry, messageMetrics);
  return { registry, observer: new StepObserver(register(registry, etlMetrics), messages) };
}

async function afterHandling(body: string, outcome: Outcome): Promise<string> {
  const { registry, observer } = observed();
  await observer.observe(async () => outcome)(delivery(body));
  return registry.metrics();
}

const STAGE = '{"v":1,"step":"stage","run":"r1","chunk":0}';

describe("a handled message is counted", () => {
  it("by step and outcome", async () => {
    const text = await afterHandling(STAGE, { kind: "done" });
    expect(text).toContain('payments_step_duration_seconds_count{step="stage",outcome="done"} 1');
    expect(text).toContain('payments_step_duration_seconds_count{step="agg",outcome="done"} 0');
    expect(text).toContain('payments_messages_in_flight{step="stage"} 0');
  });

  it("as invalid when it is none of ours", async () => {
    const outcome = { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" } as const;
    const text = await afterHandling("{", outcome);
    expect(text).toContain('payments_step_duration_seconds_count{step="invalid",outcome="reject"} 1');
  });

  it("as in flight while it is", async () => {
    const { registry, observer } = observed();
    let during = "";
    await observer.observe(async () => {
      during = await registry.metrics();
      return { kind: "done" };
    })(delivery("stage"));
    expect(during).toContain('payments_messages_in_flight{step="begin"} 1');
  });
});

it("traces differ by run and chunk, and are the same everywhere", () => {
  const ids = [traceId("r1"), traceId("r1", 0), traceId("r1", 1), traceId("r11"), traceId("r2", 1)];
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{32}$/);
  }
  expect(traceId("r1", 1)).toBe(ids[2]);
});
