import { RuleSet } from "../rule_set.js";
import { ADYEN } from "./adyen.js";
import { DLOCAL } from "./dlocal.js";
import { MERCADOPAGO } from "./mercadopago.js";
import { PAYPAL } from "./paypal.js";
import { PAYU_LATAM } from "./payu_latam.js";
import { STRIPE } from "./stripe.js";

/** Raised with each change of a rule or a table: events say by which version they were read. */
export const RULE_SET_VERSION = 1;

export const RULE_SET = new RuleSet(RULE_SET_VERSION, [
  STRIPE,
  ADYEN,
  PAYPAL,
  MERCADOPAGO,
  DLOCAL,
  PAYU_LATAM,
]);
