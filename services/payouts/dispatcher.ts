import { codeOf, messageOf } from "../../lib/errors.js";
import { Gatherer } from "../../lib/gatherer.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Service } from "../../lib/runtime/service_process.js";
import { pause } from "../../lib/timing.js";
import type { Fact } from "./domain/decide.js";
import {
  askAgainAfterS,
  askedSince,
  asksFirst,
  endedAskAfterS,
  retryAfterS,
  withoutTrace,
} from "./domain/next_step.js";
import type { Answer, GatewayPayout, PasarelaDePagos, Said } from "./gateway/pasarela.js";
import { factOf, react, type Told } from "./react.js";
import { type Noted, notePagos, type Taken, takePagos } from "./store/sending.js";

/** What is committed is seen at once by who entered it (`wake`), by others within this time. */
const LOOK_EVERY_MS = 250;
/** Between two looks: what comes one by one is taken in groups. */
const GROUP_MS = 10;
/** Beyond the longest call: then whoever has it is dead, or frozen. */
const LEASE_MARGIN_S = 30;
const RESULTS = { waitMs: 5, max: 200, atOnce: 1 };
/** A walk through all that the gateway has made costs the same for one question and for a hundred. */
const QUESTIONS = { waitMs: 1_000, max: 500, atOnce: 1 };
/** What is in hand when the process ends; what takes longer is sent again by another one, under the same key. */
const DRAIN_MS = 10_000;

export interface DispatcherOptions extends Pick<Service, "pool" | "outbox" | "logger"> {
  readonly gateway: PasarelaDePagos;
  /** Pagos in hand at a time. */
  readonly concurrency: number;
  readonly callTimeoutS: number;
  readonly askAfterS: number;
  readonly giveUpS: number;
  readonly onAnswer: (answer: Answer["kind"], seconds: number) => void;
  readonly onAsked: (outcome: "answered" | "failed") => void;
}

/** `noted` of what is told: for the case that it cannot be. */
interface Result {
  readonly told?: Told;
  readonly noted: Noted;
}

/**
 * Brings Pagos to the gateway and its answers back. Each is taken for a time by one process; any number of them may share the work.
 * What a dead one had in hand is due again when its time is over.
 */
export class Dispatcher implements Part {
  readonly name = "dispatcher of Pagos";
  readonly #options: DispatcherOptions;
  readonly #stopping = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  readonly #results: Gatherer<Result, undefined>;
  readonly #questions: Gatherer<Taken, Said>;
  #rest = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#results = new Gatherer({ ...RESULTS, work: (results) => this.#keep(results) });
    this.#questions = new Gatherer({ ...QUESTIONS, work: (taken) => this.#askAll(taken) });
  }

  get inHand(): number {
    return this.#inHand.size;
  }

  async start(): Promise<void> {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#running;
    const drained = new AbortController();
    void Promise.all(this.#inHand).then(() => drained.abort());
    await pause(DRAIN_MS, drained.signal);
  }

  /** There may be something to do. */
  wake(): void {
    this.#rest.abort();
  }

  async #run(): Promise<void> {
    const { pool, gateway, callTimeoutS, logger } = this.#options;
    while (!this.#stopping.signal.aborted) {
      this.#rest = new AbortController();
      const limit = this.#room();
      const leaseS = callTimeoutS + LEASE_MARGIN_S;
      const taken =
        limit === 0
          ? []
          : await takePagos(pool, { limit, leaseS }).catch((error: unknown) => {
              logger.debug({ code: codeOf(error) }, "no Pago was taken in hand");
              return [];
            });
      for (const each of taken) {
        const work = this.#carry(each).finally(() => {
          this.#inHand.delete(work);
          if (this.#room() > 0) {
            this.wake();
          }
        });
        this.#inHand.add(work);
      }
      await pause(GROUP_MS);
      if (taken.length === 0 || taken.length < limit) {
        await pause(Math.min(Math.max(gateway.waitMs, LOOK_EVERY_MS), 1_000), this.#rest.signal);
      }
    }
  }

  /** How many may be taken: a few at a time cost as much as many, so it waits until a quarter is free. */
  #room(): number {
    const { gateway, concurrency } = this.#options;
    if (gateway.waitMs > 0) {
      return 0;
    }
    const free = (gateway.probes ? 1 : concurrency) - this.inHand;
    return free >= (gateway.probes ? 1 : concurrency / 4) ? free : 0;
  }

  /** Never throws: what fails is due again. */
  async #carry(taken: Taken): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#results.add(await this.#resultOf(taken));
    } catch (error) {
      logger.warn({ code: codeOf(error), id_pago: taken.idPago }, `a Pago is due again: ${messageOf(error)}`);
    }
  }

  async #resultOf(taken: Taken): Promise<Result> {
    if (!asksFirst(taken, new Date())) {
      return this.#sent(taken);
    }
    const said = await this.#questions.add(taken);
    switch (said.kind) {
      case "has":
        return this.#known(taken, said.payout);
      case "has nothing":
        return this.#withoutTrace(taken);
      default:
        this.#options.logger.info(
          { id_pago: taken.idPago, why: said.why },
          "the gateway does not say what it made of a Pago",
        );
        return noted(taken, retryAfterS(taken));
    }
  }

  #withoutTrace(taken: Taken): Result | Promise<Result> {
    const { giveUpS, logger } = this.#options;
    switch (withoutTrace(taken, giveUpS)) {
      case "send":
        return this.#sent(taken);
      case "fail":
        return this.#told(taken, { kind: "refused", motivo: "gateway_error" });
      case "ask again":
        return noted(taken, endedAskAfterS(taken.takes));
      default:
        logger.error({ id_pago: taken.idPago }, "the gateway knows no more of a payout that it had");
        return noted(taken, retryAfterS(taken));
    }
  }

  async #sent(taken: Taken): Promise<Result> {
    const { gateway, onAnswer, logger } = this.#options;
    const since = performance.now();
    const answer = await gateway.send(taken);
    onAnswer(answer.kind, (performance.now() - since) / 1_000);
    switch (answer.kind) {
      case "taken":
        return this.#known(taken, answer.payout);
      case "refused":
        return this.#told(taken, answer);
      case "later":
        logger.info({ id_pago: taken.idPago, why: answer.why }, "the gateway takes a Pago later");
        return noted(taken, retryAfterS(taken));
      default:
        logger.info(
          { id_pago: taken.idPago, why: answer.why },
          "nobody knows what the gateway made of a Pago",
        );
        return noted(taken, answer.ended ? endedAskAfterS(0) : retryAfterS(taken), { ended: answer.ended });
    }
  }

  #known(taken: Taken, payout: GatewayPayout): Result {
    const fact = factOf(payout);
    if (fact !== undefined) {
      return this.#told(taken, fact);
    }
    const { askAfterS } = this.#options;
    return noted(taken, askAgainAfterS(taken, askAfterS), { gatewayId: payout.gatewayId });
  }

  /** Told again it is the same: a gateway that insists is recorded once. */
  #told(taken: Taken, fact: Fact): Result {
    const { idPago } = taken;
    const payout = fact.kind === "refused" ? fact.motivo : fact.gatewayId;
    const told = { idPago, messageId: `${idPago} ${payout}`, event: `gateway.${fact.kind}`, fact };
    return { told, ...noted(taken, askAgainAfterS(taken, this.#options.askAfterS)) };
  }

  async #askAll(taken: readonly Taken[]): Promise<readonly Said[]> {
    const { gateway, onAsked } = this.#options;
    const preguntas = taken.map((each) => ({ ...each, since: askedSince(each) }));
    const said = await gateway.ask(preguntas);
    onAsked(said.some(({ kind }) => kind === "unknown") ? "failed" : "answered");
    return said;
  }

  async #keep(results: readonly Result[]): Promise<readonly undefined[]> {
    const { pool, outbox } = this.#options;
    const { reacted, events } = await react(
      pool,
      results.flatMap(({ told }) => told ?? []),
    );
    outbox.send(events);
    const becameOf = reacted.values();
    // What is illegal settles nothing: it is asked about later, as what nobody has told yet.
    const open = results.filter(({ told }) => told === undefined || becameOf.next().value === "illegal");
    await notePagos(
      pool,
      open.map(({ noted }) => noted),
    );
    return results.map(() => undefined);
  }
}

const noted = (
  { idPago }: Taken,
  waitS: number,
  { gatewayId = null, ended = false }: Partial<Pick<Noted, "gatewayId" | "ended">> = {},
): Result => ({ noted: { idPago, gatewayId, ended, waitS } });
