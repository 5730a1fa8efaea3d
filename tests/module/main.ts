import { MODULES } from "../../app/modules.js";
import { paymentsProgram } from "../../app/program.js";
import { runProgram } from "../../lib/cli/program.js";
import type { Module } from "../../lib/runtime/module.js";
import { desk } from "./desk/module.js";
import { REFUSED } from "./refused.js";

/** `payments` with modules more than it has: `desk`, and what TEST_MODULES names of those that must be refused. */
const more: readonly Module[] = (process.env["TEST_MODULES"] ?? "").split(" ").flatMap((name) => {
  const module = REFUSED[name];
  return module === undefined ? [] : [module];
});
await runProgram(() => paymentsProgram([...MODULES, desk, ...more]));
