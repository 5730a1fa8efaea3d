import type { Kind } from "./kind.js";
import { payments } from "./payments.js";

/** Every kind of traffic that there is. */
export const KINDS: readonly Kind[] = [payments];
