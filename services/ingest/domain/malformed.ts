/** A body that nobody may read: its message says why, and has nothing of the body. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}
