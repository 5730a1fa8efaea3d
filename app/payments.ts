import { runProgram } from "../lib/cli/program.js";
import { MODULES } from "./modules.js";
import { paymentsProgram } from "./program.js";

await runProgram(() => paymentsProgram(MODULES));
