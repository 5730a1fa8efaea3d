import type { Leaf, Leaves } from "./leaves.js";
import { beginning, wordsOf } from "./words.js";

const TELL_KINDS = beginning(
  "types?$ kind events?$ action accion topic object operation operacion operacao tipo evento category vorgang",
);
/** How it was paid, and by whom: of no kind of event. */
const OTHERWISE = beginning(
  "payment pay card tarjeta method metodo customer client payer account cuenta document address device channel entity bank",
);
/** A word or a dotted name, of a short list. */
const NAME = /^\p{L}[\p{L} _.:/-]{0,39}$/u;

/** Paths whose values tell kinds of events apart: a refund has another `type` than a payment. */
export function kindPathsOf(samples: readonly Leaves[]): readonly string[] {
  const paths = samples.flatMap((leaves) => [...leaves.values()].filter(tellsKind).map(({ path }) => path));
  return [...new Set(paths)].sort();
}

const tellsKind = ({ path, type, text }: Leaf): boolean =>
  type === "text" && namesKind(path) && NAME.test(text.trim());

/** Whether a path is of a kind by its name. */
export function namesKind(path: string): boolean {
  const [key = "", around = ""] = path.split("/").reverse();
  const words = wordsOf(key);
  return (
    words.some((word) => TELL_KINDS.test(word)) &&
    ![...words, ...wordsOf(around)].some((word) => OTHERWISE.test(word))
  );
}
