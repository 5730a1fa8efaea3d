import { v5, v7 } from "uuid";

/** Of ids that follow from others. Any constant. */
const NAMESPACE = "c2c5e3b4-3a58-4d0e-9a7e-6f0f5b8a4e10";

/** A UUIDv7 that is new, and greater than all before it of this process. */
export const newId = (): string => v7();

/**
 * The same id whenever it is asked for: of a message that follows from another one, however often that comes.
 *
 * @param cause what it follows from, e.g. a message's id
 * @param purpose tells followers of one cause apart
 */
export const derivedId = (cause: string, purpose: string): string => v5(`${purpose} ${cause}`, NAMESPACE);
