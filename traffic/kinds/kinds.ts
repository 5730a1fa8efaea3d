import type { Kind } from "./kind.js";
import { partners } from "./partners.js";
import { payments } from "./payments.js";

/** Every kind of traffic that there is. */
export const KINDS: readonly Kind[] = [payments, partners];
