import pg from "pg";
import { type CoreCode, CoreError } from "../core_errors.js";
import type { PlatformError } from "../errors.js";
import { placesOf, placesText, placeText } from "../places.js";
import type { Place } from "../probe.js";
import { waitingMends } from "../retry.js";
import { type TlsOptions, tlsOptions } from "../tls.js";
import { connectionError, explain, type Target } from "./refusal.js";

/** A machine that is gone does not even refuse: the next place is tried after this. */
const ANSWER_MS = 3_000;

const STANDBY = "POSTGRES_READ_ONLY";
const PROMOTE = "No host of POSTGRES_HOST is a primary just now: promote one, e.g. by pg_promote().";

interface List {
  readonly places: readonly Place[];
  /** Where the primary was last; all pools of the process begin there. */
  first: number;
}
const lists = new Map<string, List>();

/**
 * Where the connections of a pool go: of several places to the one that is the primary. Place for place is tried, beginning with the one
 * that was it last, so that a standby that was promoted is found, and by the next one at once.
 */
export class Dialler {
  readonly #target: Target;
  readonly #list: List;
  readonly #tls: ReadonlyMap<Place, TlsOptions | false>;
  readonly #refusals = new Map<Place, unknown>();

  /** @throws PlatformError SETTINGS_INVALID when the authorities cannot be read. */
  constructor(target: Target & { readonly rootCert: string }) {
    const key = placesText(target);
    this.#target = target;
    this.#list = lists.get(key) ?? { places: placesOf(target), first: 0 };
    lists.set(key, this.#list);
    const { tls, rootCert } = target;
    this.#tls = new Map(this.#list.places.map((each) => [each, tlsOptions(tls, rootCert, each.host)]));
  }

  get #several(): boolean {
    return this.#list.places.length > 1;
  }

  get #place(): Place {
    return this.#list.places[this.#list.first] as Place;
  }

  /** What a pool is to make its connections of: each goes to the place whose turn it is. */
  get Client(): new () => pg.ClientBase {
    const next = () => this.#place;
    const tls = this.#tls;
    const limit = this.#several ? { connectionTimeoutMillis: ANSWER_MS } : {};
    const refused = (place: Place, error: unknown) => this.#refused(place, error);
    class PlacedClient extends pg.Client {
      constructor(config: pg.ClientConfig) {
        const place = next();
        // The pool hides the password from what copies its options.
        const { password } = config;
        super({ ...config, ...(password && { password }), ...place, ...limit, ssl: tls.get(place) ?? false });
        // The pool gives a callback.
        const connect = this.connect.bind(this) as (callback: (error?: Error) => void) => void;
        this.connect = ((callback: (error?: Error) => void) =>
          connect((error) => {
            if (error) {
              refused(place, error);
            }
            callback(error);
          })) as typeof this.connect;
      }
    }
    // With the pool's options, which its declaration does not say.
    return PlacedClient as unknown as new () => pg.ClientBase;
  }

  /** @param prepare makes the session ours, and says whether the server is a standby. @throws what it throws, and POSTGRES_READ_ONLY of a standby where there are others. */
  async accept(client: pg.ClientBase, prepare: () => Promise<{ readonly standby: boolean }>): Promise<void> {
    const { host, port } = client as pg.Client;
    const place = this.#list.places.find((each) => each.host === host && each.port === port) ?? this.#place;
    try {
      const { standby } = await prepare();
      if (standby && this.#several) {
        throw new CoreError(STANDBY, `PostgreSQL at ${placeText(place)} is a standby.`);
      }
      this.#refusals.delete(place);
    } catch (error) {
      this.#refused(place, error);
      throw error;
    }
  }

  #refused(place: Place, error: unknown): void {
    this.#refusals.set(place, error);
    if (place === this.#place) {
      this.#list.first = (this.#list.first + 1) % this.#list.places.length;
    }
  }

  /** Has a pool that could not open a connection try the other places. */
  goOn(pool: pg.Pool): void {
    if (!this.#several) {
      return;
    }
    const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
    const dial = async () => {
      for (let tried = 1; ; tried++) {
        try {
          return await connect();
        } catch (error) {
          if (tried === this.#list.places.length || !this.#isRefusal(error)) {
            throw error;
          }
        }
      }
    };
    // By a callback the pool itself asks, for a single query.
    pool.connect = ((callback?: (error?: unknown, client?: pg.PoolClient) => void) =>
      callback === undefined
        ? dial()
        : void dial().then((client) => callback(undefined, client), callback)) as typeof pool.connect;
  }

  #isRefusal(error: unknown): boolean {
    return this.#refusedAt(error) !== undefined;
  }

  #refusedAt(error: unknown): Place | undefined {
    const told = [error, error instanceof Error ? error.cause : error];
    return [...this.#refusals].find(([, refusal]) => told.includes(refusal))?.[0];
  }

  /** What an error tells of a server, if it does: of the place that refused, else, where it is not known, of all. See `explain` of refusal.ts. */
  stateOf(error: unknown): PlatformError | undefined {
    return explain(error, { ...this.#target, ...this.#refusedAt(error) });
  }

  /** Why there is no connection; of several places that refused, why each did. */
  async explain(error: unknown): Promise<PlatformError> {
    const refusals = this.#isRefusal(error) ? [...this.#refusals] : [[this.#place, error] as const];
    const all = await Promise.all(
      refusals.map(([place, each]) => connectionError(each, { ...this.#target, ...place })),
    );
    if (all.length === 1) {
      return all[0] as PlatformError;
    }
    // A standby is as it should be, and to promote one beside a primary that is only full makes two: what is wrong the others say.
    const others = all.filter(({ code }) => code !== STANDBY);
    // Where one may come back, waiting may help, whatever the others say.
    const told = others.find(waitingMends) ?? others[0] ?? (all[0] as PlatformError);
    const message = `${all.map((each) => each.message.replace(/\.$/, "")).join("; ")}.`;
    const nobody = others.length === 0 && all.length === this.#list.places.length;
    const hint = nobody ? PROMOTE : told.hint;
    return new CoreError(told.code as CoreCode, message, { hint, cause: error });
  }
}
