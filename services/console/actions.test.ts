import { afterEach, expect, it } from "vitest";
import { CoreError } from "../../lib/core_errors.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { eventually } from "../../tests/harness/eventually.js";
import { Actions } from "./actions.js";
import type { NewAction } from "./store/action.js";

const started: Actions[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((actions) => actions.stop()));
});

/** With a database that answers as `answer` says, by the statement's name. */
function acting(answer: (name: string) => object[]) {
  const asked: string[] = [];
  const query = async ({ name = "console_find" }: { readonly name?: string }) => {
    asked.push(name);
    const rows = answer(name);
    return { rows, rowCount: rows.length };
  };
  const actions = new Actions({
    ...{ pool: { query } as unknown as Pool, logger: silentLogger },
    ...{ answerMs: 0, tendMs: 1, retryMs: 1 },
  });
  started.push(actions);
  const countOf = (name: string) => asked.filter((each) => each === name).length;
  return { actions, asked, countOf };
}

const away = () => new CoreError("POSTGRES_UNREACHABLE", "it is away.");
const ROW = { actionId: "a1", traceId: "0".repeat(32) };
const action = { key: "k1", thing: "run r1" } as NewAction;

it("how an action ended is written again until the database takes it", async () => {
  let failures = 10;
  const { actions, countOf } = acting((name) => {
    if (name === "console_end" && failures-- > 0) {
      throw away();
    }
    return [ROW];
  });
  await actions.begin(action, async () => ({}));
  await eventually("written", async () => countOf("console_end") === 11);
});

it("a lease that was over while the database was away has until the time after next", async () => {
  let isAway = true;
  const { actions, asked, countOf } = acting((name) => {
    if (isAway && name === "console_renew") {
      throw away();
    }
    return [];
  });
  await actions.start();
  await eventually("tried", async () => countOf("console_renew") >= 3);
  const outage = asked.length;
  isAway = false;
  await eventually("ended", async () => countOf("console_lost") >= 1);
  const since = asked.slice(outage);
  expect(since.slice(0, since.indexOf("console_lost"))).toEqual(["console_renew", "console_renew"]);
});
