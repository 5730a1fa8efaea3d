import type { AllSettings } from "../../../app/settings.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { withPool } from "../../../lib/postgres/with_pool.js";
import { print } from "../../../lib/process/stdout.js";
import { FRAUD_QUEUES } from "../../../services/fraud/queues.js";
import { PAYMENTS_QUEUES } from "../../../services/payments/queues.js";
import { WALLET_QUEUES } from "../../../services/wallet/queues.js";
import { eventually } from "../../harness/eventually.js";
import { checkLeftovers, checkQueues, emptied } from "../checks.js";
import { payments } from "../command.js";
import type { ProcessPlan } from "../fleet.js";
import type { ServicesOptions } from "../options.js";
import { type Check, clock, type Rig, type Trial } from "../rig.js";
import { SERVERS, scheduleOf } from "../schedule.js";
import { Driver } from "./drive.js";
import { record, replay, takeRecord } from "./history.js";
import { type Load, loadOf, STUCK_PREFIX } from "./load.js";
import { Messages } from "./messages.js";
import { checkDeadLetters, type Planted, type Poison, plant, poisonOf } from "./poison.js";
import { type Books, compare, covered, readBooks, timedOut } from "./verdict.js";

/** Short, so that what is dropped is mended while the faults go on. */
const RESEND_AFTER_S = 5;
/** Longer than servers are away, by far; and four repetitions. */
const GIVE_UP_S = 180;
/** A process that is new asks for what a dead one had claimed. */
const CLAIMS_OVER_MS = 60_000;
const REPLAYED = 20_000;
const ASKED_AGAIN = 200;

const FAMILIES = [...PAYMENTS_QUEUES, ...FRAUD_QUEUES, ...WALLET_QUEUES];
/** Of these a sweeper repeats what was lost. A refund is said once: losing one is the broker's failure, which none is to survive. */
const MAY_LOSE: readonly (string | undefined)[] = [
  "payments.created",
  "payments.checked",
  "wallet.debit.requested",
  "wallet.response",
];

const LEFTOVERS = `
  SELECT concat_ws(' ', 'backend', pid, application_name, state, left(query, 80)) AS what
  FROM pg_stat_activity WHERE datname = current_database() AND usename = 'payments_app'`;

/** Two processes of each service, and one that only watches. */
function processesOf(): ProcessPlan[] {
  const plan = (
    name: string,
    number: number,
    message: string,
    more: Partial<AllSettings> = {},
  ): ProcessPlan => ({
    name: `${name} ${number}`,
    args: ["serve", name],
    uses: name === "fraud" || name === "metrics" ? ["rabbitmq"] : SERVERS,
    http: true,
    // The broker gives a frozen process's messages to another after three heartbeats.
    settings: { RABBITMQ_HEARTBEAT_S: 2, ...more },
    message: Buffer.from(message, "latin1"),
  });
  const patience = { PAYMENTS_RESEND_AFTER_S: RESEND_AFTER_S, PAYMENTS_GIVE_UP_S: GIVE_UP_S };
  return [
    plan("payments", 0, '{"id":"', patience),
    plan("payments", 1, '{"payment_id":"', patience),
    plan("fraud", 0, '{"id":"'),
    plan("fraud", 1, '{"id":"'),
    plan("wallet", 0, '{"payment_id":"'),
    plan("wallet", 1, '{"payment_id":"'),
    plan("metrics", 0, '{"id":"'),
  ];
}

/** Payments at a steady rate under faults: each is what its caller was told, once, and the money agrees. */
export function servicesTrial(options: ServicesOptions): Trial {
  const { seed, minutes, rate, longestFreezeS } = options;
  const durationMs = Math.round(minutes * 60_000);
  const processes = processesOf();
  const load = loadOf({ seed, stuck: true });
  const poison = poisonOf({ seed, durationMs, families: FAMILIES });
  return {
    title: `${minutes} min, ${rate} payments a second`,
    seed,
    durationMs,
    events: scheduleOf({
      seed,
      durationMs,
      processes,
      strands: true,
      // Of seven: each fault makes a process start, which costs two seconds of a core.
      processGapMs: [15_000, 60_000],
      longestFreezeMs: longestFreezeS * 1_000,
      queues: FAMILIES.map(({ work, event }) => ({ name: work, mayLose: MAY_LOSE.includes(event) })),
    }),
    processes,
    limitMs: 30 * 60_000 + 2 * durationMs,
    run: (rig) => new ServicesTrial(rig, load, poison, { seed, rate }).run(),
    printLoad: () => {
      for (const { atMs, family, body } of poison) {
        print(`${clock(atMs)}  poison  ${family.work}  ${body}`);
      }
    },
  };
}

class ServicesTrial {
  readonly #rig: Rig;
  readonly #load: Load;
  readonly #poison: readonly Poison[];
  readonly #options: { readonly seed: number; readonly rate: number };
  readonly #driver: Driver;
  readonly #messages: Messages;
  #planted: readonly Planted[] = [];

  constructor(
    rig: Rig,
    load: Load,
    poison: readonly Poison[],
    options: { readonly seed: number; readonly rate: number },
  ) {
    this.#rig = rig;
    this.#load = load;
    this.#poison = poison;
    this.#options = options;
    this.#driver = new Driver(load, { payments: this.#urls("payments"), wallets: this.#urls("wallet") });
    this.#messages = new Messages({
      settings: () => rig.stack.settings,
      families: FAMILIES,
      lateMs: (RESEND_AFTER_S + 3) * 1_000,
      seed: options.seed,
    });
  }

  async run() {
    const rig = this.#rig;
    await rig.payments("migrate", "up");
    await this.#asOwner((owner) => owner.query(STUCK));
    rig.startAll();
    await this.#ready();
    await this.#driver.openWallets();
    await record(rig.stack.settings);
    const tally = await this.#faults();
    // After the faults, which end connections to the database.
    return this.#asOwner(async (owner) => {
      const checks = [await this.#answers(), await this.#terminal(owner)];
      await this.#unstick(owner);
      checks.push(...(await this.#books(owner)));
      const before = await readBooks(owner);
      checks.push(...(await this.#daysLater(owner, before)));
      await rig.stopAll();
      checks.push(rig.surprises(), await checkLeftovers(owner, "no backend of a service is left", LEFTOVERS));
      const { told } = this.#driver;
      const treated = [...this.#messages.treated].map(([kind, events]) => `${kind} ${events}`);
      const notes = [
        `payments: ${told.length}; timed out that were not meant to: ${timedOut(told, before)}`,
        `events treated: ${treated.sort().join(", ")}`,
      ];
      return { checks, tally, notes };
    });
  }

  /** The load and all faults, from the first to the last. */
  async #faults() {
    const rig = this.#rig;
    const over = new AbortController();
    const paying = this.#driver.pay(this.#options.rate, over.signal);
    const planting = plant(() => rig.stack.settings, this.#poison);
    const tally = await rig.disturb((fault) => this.#messages.disturb(fault));
    over.abort();
    await paying;
    this.#planted = await planting;
    rig.say(
      `faults over; ${this.#driver.told.length} payments, ${this.#driver.unanswered} requests unanswered`,
    );
    return tally;
  }

  async #answers(): Promise<Check> {
    await this.#driver.settled(120_000);
    const { complaints } = this.#driver;
    return { name: "every request was answered, and a repetition like the first", complaints };
  }

  async #terminal(owner: Pool): Promise<Check> {
    const pending = async () => {
      const { rows } = await owner.query<{ what: string }>(
        "SELECT concat_ws(' ', payment_id, customer_id, awaiting, created_at) AS what FROM saga.payment WHERE state = 'PENDING'",
      );
      return rows.map(({ what }) => what);
    };
    const complaints = await emptied(2 * GIVE_UP_S * 1_000, pending);
    this.#rig.say("every payment is decided");
    return { name: "every payment comes to an end by itself", complaints };
  }

  /** What no update of a payment let through has become dead letters, and comes again when all is over. */
  async #unstick(owner: Pool): Promise<void> {
    await checkQueues(this.#rig.stack);
    await owner.query("DROP SCHEMA chaos CASCADE");
    const stdout = await this.#rig.payments("dlq", "replay", "--all", "--queue", "payments.dlq", "--json");
    this.#rig.say(`payments dlq replay: ${stdout.trim().slice(0, 200)}`);
  }

  async #books(owner: Pool): Promise<Check[]> {
    const { stack } = this.#rig;
    const queues = await checkQueues(stack);
    const audit = await this.#audit("payments audit --quiesced exits 0");
    const books = await readBooks(owner);
    return [
      queues,
      audit,
      ...compare(this.#driver.told, this.#load.customers, books, GIVE_UP_S),
      covered(this.#driver.told, this.#load.customers, books),
      // Queues of 5,000 were empty after 15 s without faults; with one every other second it takes longer.
      await checkDeadLetters(
        stack.settings,
        this.#planted,
        [...this.#messages.deleted, ...stack.lostQueues],
        GIVE_UP_S * 1_000,
      ),
    ];
  }

  /** Keys are purged, and what was said comes once more: nothing may change. */
  async #daysLater(owner: Pool, before: Books): Promise<Check[]> {
    const { stack } = this.#rig;
    await owner.query("DELETE FROM saga.idempotency");
    await owner.query("DELETE FROM wallet.idempotency");
    const events = await takeRecord(stack.settings, REPLAYED, this.#options.seed);
    this.#rig.say(`replaying ${events.length} events`);
    await replay(stack.settings, events);
    const complaints = await this.#driver.askAgain(ASKED_AGAIN);
    const queues = await checkQueues(stack, " after the replay");
    const after = await readBooks(owner);
    const changed = differences(before, after);
    return [
      { name: "a reference is answered with its payment when its key is long gone", complaints },
      queues,
      { name: `${events.length} old events change nothing`, complaints: changed },
      await this.#audit("payments audit --quiesced exits 0 after the replay"),
    ];
  }

  async #audit(name: string): Promise<Check> {
    const complaints = await emptied(CLAIMS_OVER_MS, async () => {
      const { code, stdout, stderr } = await payments(this.#rig.stack.settings, "audit", "--quiesced");
      return code === 0 ? [] : [`exit ${code}`, ...stdout.split("\n"), stderr];
    });
    return { name, complaints };
  }

  async #ready(): Promise<void> {
    const ready = async () => {
      const answers = await Promise.all(
        this.#rig.slots.map(({ url }) => fetch(`${url}/readyz`).catch(() => undefined)),
      );
      return answers.every((answer) => answer?.status === 200);
    };
    await eventually("services ready", ready, { withinMs: 60_000, everyMs: 200 });
  }

  async #asOwner<T>(work: (owner: Pool) => Promise<T>): Promise<T> {
    const options = { role: "admin", max: 1, applicationName: "chaos" } as const;
    return withPool(this.#rig.stack.settings, options, async (owner) => {
      await owner.query("SET ROLE payments_owner");
      return work(owner);
    });
  }

  #urls(module: string): string[] {
    return this.#rig.slots.filter(({ plan }) => plan.args.includes(module)).map(({ url }) => url);
  }
}

/** Some customers' payments no update brings to APPROVED. */
const STUCK = `
  CREATE SCHEMA chaos;
  CREATE FUNCTION chaos.refuse() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'payment % is stuck', NEW.payment_id; END $$;
  GRANT USAGE ON SCHEMA chaos TO PUBLIC;
  CREATE TRIGGER stuck BEFORE UPDATE ON saga.payment FOR EACH ROW
  WHEN (NEW.state = 'APPROVED' AND NEW.customer_id LIKE '${STUCK_PREFIX}%') EXECUTE FUNCTION chaos.refuse()`;

function differences(before: Books, after: Books): string[] {
  const lines = ({ payments: found, balances }: Books) =>
    new Map([
      ...found.map(
        ({ paymentId, state, reason, refunded, taken, givenBack }) =>
          [paymentId, [state, reason, refunded, taken, givenBack].join(" ")] as const,
      ),
      ...[...balances].map(([id, balance]) => [`balance of ${id}`, String(balance)] as const),
    ]);
  const [old, now] = [lines(before), lines(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((key) => old.get(key) !== now.get(key))
    .map((key) => `${key}: was ${old.get(key)}, is ${now.get(key)}`);
}
