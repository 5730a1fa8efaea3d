import { describe, expect, it } from "vitest";
import type { Delivery, Outcome } from "../lib/broker/delivery.js";
import { maxAttempts } from "../lib/broker/topology.js";
import { codeLabelOf } from "../lib/observability/code_label.js";
import { messageMetrics } from "../lib/observability/message_metrics.js";
import { createRegistry, register } from "../lib/observability/registry.js";
import { etlMetrics } from "./metrics.js";
import { StepObserver, traceId } from "./observe.js";
import { ETL_QUEUES } from "./queues.js";

function delivery(body: string, attempt = 1): Delivery {
  const never = new AbortController().signal;
  return {
    body: Buffer.from(body),
    headers: {},
    messageId: undefined,
    attempt,
    redelivered: false,
    deliveryCount: 0,
    lost: never,
    overdue: never,
  };
}

function observed() {
  const registry = createRegistry();
  const messages = register(registry, messageMetrics);
  const label = codeLabelOf(["MESSAGE_MALFORMED"]);
  return { registry, observer: new StepObserver(register(registry, etlMetrics), messages, label) };
}

async function afterHandling(body: string, outcome: Outcome, attempt = 1): Promise<string> {
  const { registry, observer } = observed();
  await observer.observe(async () => outcome)(delivery(body, attempt));
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

  it("as retried, until the ladder ends; then as dead-lettered", async () => {
    const outcome = { kind: "retry", code: "40P01", reason: "deadlock" } as const;
    expect(await afterHandling(STAGE, outcome)).toContain(
      'payments_messages_retried_total{code="SQLSTATE_40"} 1',
    );
    const last = await afterHandling(STAGE, outcome, maxAttempts(ETL_QUEUES));
    expect(last).toContain('payments_messages_dead_lettered_total{code="SQLSTATE_40"} 1');
    expect(last).not.toContain("payments_messages_retried_total{");
  });

  it("as invalid when it is none of ours", async () => {
    const outcome = { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" } as const;
    const text = await afterHandling("{", outcome);
    expect(text).toContain('payments_step_duration_seconds_count{step="invalid",outcome="reject"} 1');
    expect(text).toContain('payments_messages_dead_lettered_total{code="MESSAGE_MALFORMED"} 1');
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
