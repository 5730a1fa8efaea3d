import { expect, test } from "vitest";
import { silentLogger } from "../lib/observability/log.js";
import { eventually } from "../tests/harness/eventually.js";
import { Services } from "../tests/harness/service.js";
import { SelfWatch } from "./self_watch.js";

/** Windows of a process's own life. */
test("a process that lives is closed window by window, one that ends says so, and one that is frozen shows", async () => {
  const flags = {
    ...{ MONITOR_GRACE_MS: "2000", MONITOR_SETTLE_MS: "0", MONITOR_SWEEP_EVERY_MS: "100" },
    RABBITMQ_HEARTBEAT_S: "1",
  };
  const services = await Services.create(flags, "monitor", "monitor-queue");
  try {
    await services.start();
    const schedule = { intervalMs: 250, durationMs: 500 };
    const watch = new SelfWatch({
      settings: services.settings,
      logger: silentLogger,
      name: "self-test",
      schedule,
    });
    const states = async () => {
      const { body } = await services.get("/api/monitor/windows?service=self-test");
      return (body.items as { status: string }[]).map(({ status }) => status);
    };
    await watch.start();
    await eventually(
      "two are closed",
      async () => (await states()).filter((each) => each === "CLOSED").length >= 2,
    );
    // Nothing of this process runs meanwhile, as if it were frozen.
    const until = performance.now() + 5_000;
    while (performance.now() < until) {
      // It is not there.
    }
    await eventually("one is an alert", async () => (await states()).includes("ALERT"));
    await watch.stop();
    const alerts = (await states()).filter((each) => each === "ALERT").length;
    await eventually("all are decided", async () => !(await states()).includes("OPEN"));
    expect((await states()).filter((each) => each === "ALERT")).toHaveLength(alerts); // its end is no silence
  } finally {
    await services.close();
  }
});
