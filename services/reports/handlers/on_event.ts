import { adviceOf, PlatformError } from "../../../lib/errors.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import { recordIllegalTransitions } from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Fact, Told } from "../domain/fact.js";
import { type Entered, enterFacts, foreseeFacts } from "../store/event.js";
import { liveGenerations, lockHead, moveHead } from "../store/head.js";
import { project } from "../store/project.js";

/**
 * Archives what a batch tells, projects it into every live generation and moves the head: all in one transaction. What came before
 * changes nothing; what contradicts that is recorded.
 */
export const onEvent =
  <Body>({ factOf }: Told<Body>) =>
  async (tx: Queryable, events: readonly ReceivedEvent<Body>[]): Promise<EventOutcome[]> => {
    const read = events.map((event) => readFact(event, factOf));
    const facts = read.filter(isFact);
    if (facts.length > 0) {
      await tell(tx, facts);
    }
    return read.map((each) => (isFact(each) ? { kind: "done" } : each));
  };

/** The same on the archive as it stands, nothing entered. */
export const forecastEvent =
  <Body>({ factOf }: Told<Body>) =>
  async (db: Queryable, events: readonly ReceivedEvent<Body>[]): Promise<Forecast[]> => {
    const read = events.map((event) => readFact(event, factOf));
    const facts = read.filter(isFact);
    const foreseen = facts.length === 0 ? [] : await foreseeFacts(db, facts);
    let next = 0;
    return read.map((each) =>
      isFact(each) ? forecastOf(foreseen[next++] as Entered) : wouldFail(each.code, each.reason),
    );
  };

function forecastOf({ fresh, agrees }: Entered): Forecast {
  if (!agrees) {
    return { kind: "illegal", why: CONTRADICTS };
  }
  return fresh ? { kind: "would apply", why: "" } : { kind: "already applied", why: "" };
}

const CONTRADICTS = "the version was told before with other words";

const isFact = (each: Fact | Rejection): each is Fact => !("reason" in each);

type Rejection = Extract<EventOutcome, { kind: "reject" }>;

/** An amount that is none of its currency is the fault of one event, and no neighbour's. */
function readFact<Body>(event: ReceivedEvent<Body>, factOf: Told<Body>["factOf"]): Fact | Rejection {
  try {
    return factOf(event);
  } catch (error) {
    if (!(error instanceof PlatformError)) {
      throw error;
    }
    return { kind: "reject", code: error.code, reason: adviceOf(error) };
  }
}

async function tell(tx: Queryable, facts: readonly Fact[]): Promise<void> {
  const head = await lockHead(tx);
  const entered = await enterFacts(tx, head, facts);
  const upTo = head + BigInt(entered.filter(({ fresh }) => fresh).length);
  if (upTo > head) {
    await project(tx, { generations: await liveGenerations(tx), after: head, upTo });
    await moveHead(tx, upTo);
  }
  await recordIllegalTransitions(
    tx,
    "reports",
    facts.flatMap(({ messageId, event, aggregateId, version }, i) =>
      entered[i]?.agrees === false
        ? {
            ...{ messageId, event, subjectId: aggregateId, state: `version ${version}` },
            reason: CONTRADICTS,
          }
        : [],
    ),
  );
}
