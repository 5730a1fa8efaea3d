#!/usr/bin/env node
import "../lib/postgres/environment.js";

import { codeOf, EXIT, messageOf } from "../lib/errors.js";
import { say } from "../lib/process/stderr.js";
import { packageRoot } from "../lib/root.js";

// What is imported above needs no package: of those, half may be gone.
try {
  const { main } = await import("./program.js");
  await main();
} catch (error) {
  if (!["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(codeOf(error) ?? "")) {
    throw error;
  }
  say(`payments: a part of it is missing; run: ${packageRoot}/scripts/bootstrap.sh (${messageOf(error)})`);
  process.exitCode = EXIT.failed;
}
