import { stacks, useStack } from "./stacks.js";

/** Runs before every file on servers. No two files that run at one time have the same number, from 1 to maxWorkers. */
useStack(stacks[Number(process.env["VITEST_POOL_ID"]) - 1]);
