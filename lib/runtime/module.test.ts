import { describe, expect, it } from "vitest";
import { z } from "zod";
import { queueFamily, serviceQueues } from "../broker/topology.js";
import { EXIT } from "../errors.js";
import { counter } from "../observability/registry.js";
import { defineModule, type Module, requireUnambiguous } from "./module.js";

const setting = (name: string) => ({
  settings: { schema: z.object({ [name]: z.string().default("") }), prefixes: [`${name.split("_")[0]}_`] },
});
const error = (code: string) => ({
  errors: { [code]: { verdict: "reject", http: 409, exit: EXIT.failed } as const },
});
const metric = (name: string) => ({ metrics: { it: counter(name, "Counts something in a test") } });

function problemsOf(...modules: Module[]): string {
  try {
    requireUnambiguous(modules);
    return "";
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "MODULE_INVALID", exitCode: EXIT.usage });
    return String(thrown);
  }
}

describe("a name that two modules claim is refused:", () => {
  it.each<[string, Partial<Parameters<typeof defineModule>[0]>, string]>([
    ["a setting", setting("DESK_ROWS"), "setting DESK_ROWS"],
    ["a prefix", setting("DESK_ROWS"), "setting prefix DESK_"],
    ["an error code", error("DESK_FULL"), "error code DESK_FULL"],
    ["a queue", { queues: [queueFamily("desk_queue")] }, "queue desk_queue.dlq"],
    ["a metric", metric("payments_desk_total"), "metric payments_desk_total"],
    ["a schema", { schemas: ["desk"] }, "schema desk"],
    ["a role", { roles: ["payments_desk"] }, "role payments_desk"],
    ["a service", { service: "desk-service" }, "service desk-service"],
  ])("%s", (_, claim, named) => {
    const [one, two] = ["one", "two"].map((name) => defineModule({ name, ...claim }));
    expect(problemsOf(one as Module, defineModule({ name: "other" }))).toBe("");
    expect(problemsOf(one as Module, two as Module)).toContain(`${named} is claimed by one and by two`);
  });

  it("the module's own", () => {
    expect(problemsOf(defineModule({ name: "one" }), defineModule({ name: "one" }))).toContain("module one");
  });

  it("one of lib's", () => {
    expect(problemsOf(defineModule({ name: "one", ...error("INTERNAL") }))).toContain(
      "error code INTERNAL is claimed by lib and by one",
    );
    expect(problemsOf(defineModule({ name: "one", ...metric("payments_publishes_total") }))).toContain(
      "metric payments_publishes_total is claimed by lib and by one",
    );
  });
});

describe("a manifest that breaks a rule is refused:", () => {
  it("a setting without the module's prefix", () => {
    const settings = { schema: z.object({ ROWS: z.string().default("") }), prefixes: ["DESK_"] };
    expect(problemsOf(defineModule({ name: "desk", settings }))).toContain("setting ROWS has no prefix");
  });

  it("forecasters of other events than its queues take", () => {
    const event = { name: "desk.opened", version: 1, schema: z.unknown(), key: () => "" };
    const queues = serviceQueues("desk", { service: "desk-service", events: ["desk.opened", "desk.closed"] });
    const forecasters = [{ event, forecast: async () => [] }];
    expect(problemsOf(defineModule({ name: "desk", queues, forecasters }))).toContain(
      "forecasters of desk are of desk.opened, its queues of desk.closed, desk.opened",
    );
    expect(problemsOf(defineModule({ name: "desk", queues: queues.slice(0, 1), forecasters }))).toBe("");
    expect(problemsOf(defineModule({ name: "desk", queues }))).toBe("");
  });

  it("a view in a schema of another", () => {
    expect(problemsOf(defineModule({ name: "desk", schemas: ["desk"], views: ["stock.item"] }))).toContain(
      "view stock.item of desk is not in a schema of its own",
    );
  });

  it("the retention of a table of another's", () => {
    const retention = [{ table: "stock.item", keep: "for ever" as const, why: "It is a test." }];
    expect(problemsOf(defineModule({ name: "desk", schemas: ["desk"], retention }))).toContain(
      "table stock.item, whose retention desk declares, is not in a schema of its own",
    );
  });
});
