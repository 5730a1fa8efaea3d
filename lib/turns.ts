/** Works of one kind, one after the other, in the order in which they were asked for; one that fails holds up none. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws what `work` throws */
  take<T>(work: () => Promise<T>): Promise<T> {
    const taken = this.#last.then(work, work);
    this.#last = taken;
    return taken;
  }
}
