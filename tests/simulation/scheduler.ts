import { Dice } from "../chaos/schedule.js";

/** Whoever waits for something outside: a process of a worker, or a person. One that has died is never called again. */
export interface Actor {
  readonly name: string;
  alive: boolean;
}

/** One of the state machine's rules does not hold. */
export class RuleBroken extends Error {}

/** Something that may happen next. */
export interface Move {
  readonly what: string;
  readonly go: () => void;
}

/** What an actor waits for. */
export interface Turn extends Move {
  readonly actor: Actor;
}

/**
 * Decides alone what happens next: all code under test stands at a turn (or waits for somebody who does), one is chosen by the
 * seed, and everybody runs until they stand again. No clock and no other chance, so a seed is a schedule.
 */
export class Scheduler {
  readonly dice: Dice;
  readonly trace: string[] = [];
  /** What went wrong with the simulation or a rule, wherever it was noticed. */
  failure: Error | undefined;
  #turns: Turn[] = [];

  constructor(seed: number) {
    this.dice = new Dice(seed, "schedule");
  }

  /** Resolves when it is this one's turn; never, when the actor has died. */
  turn(actor: Actor, what: string): Promise<void> {
    return new Promise((resolve) => {
      if (actor.alive) {
        this.#turns.push({ actor, what: `${actor.name}: ${what}`, go: resolve });
      }
    });
  }

  /** Ends an actor in the middle of whatever it does. */
  kill(actor: Actor): void {
    actor.alive = false;
    this.#turns = this.#turns.filter((turn) => turn.actor !== actor);
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  /** Makes a move and lets everybody run until they wait again. */
  async make(move: Move): Promise<void> {
    const index = (this.#turns as Move[]).indexOf(move);
    if (index >= 0) {
      this.#turns.splice(index, 1);
    }
    this.note(move.what);
    move.go();
    // By the next tick all promises have settled.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }

  note(what: string): void {
    this.trace.push(what);
  }
}
