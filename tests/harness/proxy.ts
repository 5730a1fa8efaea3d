import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type Direction = "toServer" | "toClient";
const BOTH: readonly Direction[] = ["toServer", "toClient"];

/** A client's `COMMIT` as node-postgres sends it: a simple query. */
export const COMMIT = Buffer.from("Q\0\0\0\x0bCOMMIT\0", "latin1");
/** The start of a message of the pipeline in an AMQP body frame. */
export const PUBLISH = Buffer.from('{"v":1,"step":', "latin1");

/** A fault that waits for its moment and happens once. */
export interface Trap {
  readonly sprung: boolean;
  /** Resolves when it has happened; never, if it is disarmed before. */
  readonly done: Promise<void>;
  disarm(): void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Where bytes go nowhere for good, and neither side is told. */
  deaf: readonly Direction[];
  /** Bytes were lost: what comes next would make no sense to either side. */
  damaged: boolean;
  readonly passed: Record<Direction, number>;
  /** The last bytes sent by the client: a marker may come in two pieces. */
  tail: Buffer;
  /** Set by a trap: the next bytes from the server end the pair instead of passing. */
  onReply: (() => void) | undefined;
}

interface Weather {
  readonly delayMs: number;
  readonly refuse: boolean;
  readonly lost: readonly Direction[];
}

const FAIR: Weather = { delayMs: 0, refuse: false, lost: [] };
const MARKER_MAX_BYTES = 64;

/**
 * The network between a client and a server, failing on request. A standing condition (`delay`, `refuse`, `mute`, `swallow`)
 * holds for all connections until the next one or `pass`; a single blow (`reset`, `silence`) strikes those open now; a trap
 * (`cutAfter`, `swallowReplyTo`) strikes the first connection that walks into it.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #traps = new Set<ArmedTrap>();
  #weather = FAIR;
  /** Connections taken so far, refused ones among them. */
  taken = 0;

  /** @param target asked for at each connection: a server may come back on another port. */
  static async open(target: () => { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor(target: () => { host: string; port: number }) {
    this.#server = createServer((client) => this.#join(client, target()));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections that were left half-open by `silence` and whose client has not given them up. */
  get silent(): number {
    return [...this.#pairs].filter((pair) => pair.deaf.length > 0 && !pair.client.destroyed).length;
  }

  /** Half-open connections that their client has given up, of which the server knows nothing yet. */
  get givenUp(): number {
    return [...this.#pairs].filter((pair) => pair.client.destroyed && !pair.server.destroyed).length;
  }

  /** Fair weather again. Connections that lost bytes are reset, as they are of no use. */
  pass(): void {
    this.#weather = FAIR;
    for (const pair of this.#pairs) {
      if (pair.damaged || pair.deaf.length > 0) {
        reset(pair);
      }
    }
  }

  /** Holds every piece of data (up to 64 KiB) for so long. */
  delay(ms: number): void {
    this.#weather = { ...FAIR, delayMs: ms };
  }

  /** Resets new connections at once; those open go on. */
  refuse(): void {
    this.#weather = { ...FAIR, refuse: true };
  }

  /** All connections half-open, new ones too: everything is taken and nothing arrives. */
  mute(): void {
    this.#weather = { ...FAIR, lost: BOTH };
  }

  /** What clients say arrives, what servers answer does not. */
  swallow(): void {
    this.#weather = { ...FAIR, lost: ["toClient"] };
  }

  /** Resets all connections, without a goodbye to either side. */
  reset(): void {
    for (const pair of this.#pairs) {
      reset(pair);
    }
  }

  /** Leaves all connections open now half-open for good, in both directions or one; new ones work. */
  silence(directions: readonly Direction[] = BOTH): void {
    for (const pair of this.#pairs) {
      pair.deaf = directions;
    }
  }

  /** Resets the first connection on which so many more bytes have passed, right behind the last of them. */
  cutAfter(direction: Direction, bytes: number): Trap {
    const before = new Map([...this.#pairs].map((pair) => [pair, pair.passed[direction]]));
    const left = (pair: Pair) => (before.get(pair) ?? 0) + bytes - pair.passed[direction];
    return this.#arm(
      (pair, at, piece) => at === direction && piece.length >= left(pair),
      (pair, piece, forward) => forward(piece.subarray(0, left(pair))),
    );
  }

  /**
   * Lets through what holds `marker`, waits for the server's answer, keeps that back and resets the connection.
   *
   * @param spared pieces with the marker that pass before that unharmed: if every answer were lost, nobody would get on.
   */
  swallowReplyTo(marker: Buffer, spared = 0): Trap {
    if (marker.length > MARKER_MAX_BYTES) {
      throw new Error(`a marker has at most ${MARKER_MAX_BYTES} bytes`);
    }
    let left = spared;
    // So much of what came before that a marker in two pieces is found, and one that has passed is not found again.
    const before = (pair: Pair) => pair.tail.subarray(Math.max(0, pair.tail.length - marker.length + 1));
    return this.#arm(
      (pair, at, piece) =>
        at === "toServer" && Buffer.concat([before(pair), piece]).includes(marker) && left-- === 0,
      async (pair, piece, forward) => {
        const answered = new Promise<void>((resolve) => {
          pair.onReply = resolve;
          pair.client.once("close", resolve);
        });
        await forward(piece);
        await answered;
      },
    );
  }

  async close(): Promise<void> {
    this.#server.close();
    this.reset();
    await once(this.#server, "close");
  }

  #arm(matches: ArmedTrap["matches"], strike: ArmedTrap["strike"]): Trap {
    let settle!: () => void;
    const done = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const disarm = () => this.#traps.delete(trap);
    const trap: ArmedTrap = { matches, strike, settle, done, sprung: false, disarm };
    this.#traps.add(trap);
    return trap;
  }

  #join(client: Socket, target: { host: string; port: number }): void {
    this.taken += 1;
    if (this.#weather.refuse) {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    const pair: Pair = {
      client,
      server: connect(target.port, target.host),
      deaf: [],
      damaged: false,
      passed: { toServer: 0, toClient: 0 },
      tail: Buffer.alloc(0),
      onReply: undefined,
    };
    this.#pairs.add(pair);
    for (const socket of [client, pair.server]) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (client.destroyed && pair.server.destroyed) {
          this.#pairs.delete(pair);
        }
      });
    }
    void this.#relay(pair, "toServer");
    void this.#relay(pair, "toClient");
  }

  /** Carries one direction until it ends, then tells the other side, unless it is not to know. */
  async #relay(pair: Pair, direction: Direction): Promise<void> {
    const [from, to] = direction === "toServer" ? [pair.client, pair.server] : [pair.server, pair.client];
    const forward = async (piece: Buffer) => {
      pair.passed[direction] += piece.length;
      if (direction === "toServer") {
        pair.tail = Buffer.concat([pair.tail, piece]).subarray(-MARKER_MAX_BYTES);
      }
      await new Promise<void>((resolve) => to.write(piece, () => resolve()));
    };
    let broken = false;
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (this.#weather.delayMs > 0) {
          await sleep(this.#weather.delayMs);
        }
        if (this.#loses(pair, direction)) {
          pair.damaged = true;
        } else if (direction === "toClient" && pair.onReply !== undefined) {
          pair.onReply();
        } else if (!(await this.#trapped(pair, direction, piece, forward))) {
          await forward(piece);
        }
      }
    } catch {
      broken = true;
    }
    if (this.#loses(pair, direction)) {
      pair.damaged = true;
    } else if (broken) {
      to.resetAndDestroy();
    } else {
      to.end();
    }
  }

  #loses(pair: Pair, direction: Direction): boolean {
    return pair.deaf.includes(direction) || this.#weather.lost.includes(direction);
  }

  /** Offers a piece to the traps; one that takes it has dealt with it, and with the connection. */
  async #trapped(pair: Pair, direction: Direction, piece: Buffer, forward: Forward): Promise<boolean> {
    for (const trap of this.#traps) {
      if (!trap.matches(pair, direction, piece)) {
        continue;
      }
      this.#traps.delete(trap);
      await trap.strike(pair, piece, forward);
      reset(pair);
      trap.sprung = true;
      trap.settle();
      return true;
    }
    return false;
  }
}

type Forward = (piece: Buffer) => Promise<void>;

interface ArmedTrap extends Trap {
  sprung: boolean;
  readonly settle: () => void;
  readonly matches: (pair: Pair, direction: Direction, piece: Buffer) => boolean;
  readonly strike: (pair: Pair, piece: Buffer, forward: Forward) => Promise<void>;
}

function reset(pair: Pair): void {
  pair.client.resetAndDestroy();
  pair.server.resetAndDestroy();
}
