import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { packageRoot } from "../root.js";
import { firstErrorLine, outputOf, run, start } from "./run.js";

test("a program's input, output and environment, which is its own but for PATH", async () => {
  process.env["PGHOST"] = "elsewhere";
  const command = ["sh", "-c", 'cat; echo "$PGHOST $PORT"'];
  expect(await run(command, { input: "in ", env: { PORT: 5432, NONE: undefined } })).toBe("in  5432\n");
  delete process.env["PGHOST"];
});

test("one that fails, or is not there, says why in one line", async () => {
  const command = ["sh", "-c", "echo going on >&2; echo 'ERROR: no room' >&2; echo giving up >&2; exit 3"];
  await expect(run(command)).rejects.toThrow("sh ended with 3: ERROR: no room");
  await expect(run(["no-such-program"])).rejects.toThrow(/^no-such-program ended with 127: .*No such file/);
  expect(firstErrorLine("")).toBe("no reason given");
  expect(firstErrorLine("one\ntwo\n")).toBe("two");
  const dump = 'pg_dumpall: error: could not connect to database "payments"';
  const fatal = 'FATAL:  role "payments_backup" is not permitted to log in';
  expect(firstErrorLine(`${dump}\npg_dumpall: hint: none\n  ${fatal}\n`)).toBe(`${dump}: ${fatal}`);
  expect(firstErrorLine(`psql: error: ${fatal}\nFATAL:  again\n`)).toBe(`psql: error: ${fatal}`);
});

test("a signal ends it, and is the reason", async () => {
  const stop = new AbortController();
  const running = run(["sleep", "60"], { signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
  await expect(run(["sleep", "60"], { signal: stop.signal })).rejects.toThrow("enough");
});

test("it ends with us, even when we are killed", async () => {
  const module = JSON.stringify(join(packageRoot, "dist", "lib", "process", "run.js"));
  const script = `
    import { start } from ${module};
    const child = start(["sh", "-c", "echo $$; exec sleep 60"], { stdio: ["ignore", "inherit", "inherit"] });
    setInterval(() => undefined, 1_000);`;
  const parent = start([process.execPath, "--input-type=module", "-e", script]);
  const output = outputOf(parent);
  await once(parent.stdout as NodeJS.ReadableStream, "data");
  const pid = Number(output.stdout);
  // A zombie is left where nobody takes the orphans in.
  const alive = () =>
    existsSync(`/proc/${pid}`) && !/State:\tZ/.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  expect(alive()).toBe(true);
  parent.kill("SIGKILL");
  await eventually("the end of its child", () => !alive());
});
