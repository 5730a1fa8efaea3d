#!/usr/bin/env node
import "../lib/postgres/environment.js";

// Like main.ts: the driver comes after that.
const { main } = await import("./backups_program.js");
await main();
