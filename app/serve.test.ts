import { describe, expect, it } from "vitest";
import { MODULES } from "./modules.js";
import { chooseModules } from "./serve.js";

const chosen = (...names: string[]) => chooseModules(names, MODULES).map(({ name }) => name);

describe("the modules that payments serve runs", () => {
  it("are those named, in their order", () => {
    expect(chosen("jobs", "etl")).toEqual(["jobs", "etl"]);
  });

  it("are all services when none is named: worker and jobs are processes of their own", () => {
    const services = MODULES.map(({ name }) => name).filter(
      (name) => !["etl", "jobs", "platform", "gateway-simulator", "reporter", "traffic"].includes(name),
    );
    expect(chosen()).toEqual(services);
  });

  it.each([
    ["is none", ["etll"], "there is no module etll"],
    ["stands twice", ["etl", "jobs", "etl"], "module etl is named twice"],
  ])("a name that %s is a usage error", (_, names, text) => {
    expect(() => chosen(...names)).toThrow(text);
    expect(() => chosen(...names)).toThrow(expect.objectContaining({ code: "MODULE_UNKNOWN", exitCode: 2 }));
  });
});
