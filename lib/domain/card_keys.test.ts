import { expect, it } from "vitest";
import { meaningOf } from "./card_keys.js";

it.each([
  [
    "number",
    "pan PAN card_number cardNumber CardNumber card-number card.number CARDNUMBER merchantRespPan Ds_Card_PAN ccnum",
  ],
  ["number", "creditCardNumber payment_method.card.number numero_tarjeta número_de_tarjeta"],
  [
    "secret",
    "cvv CVV2 cvc cardCvc card_cvv2 payment.card.cvv securityCode card_verification_value track2_data PINBlock pin",
  ],
  [
    "reference",
    "id customer_id orderIds referencia_pago payment_ref idempotency_key created_at phone ticket_number traceparent",
  ],
  [
    "free",
    "pan_last4 cvc_check cvvResponseCode company japan timespan number amount note span pinterest card encore",
  ],
])("%s is meant by %s", (meaning, keys) => {
  expect(keys.split(" ").filter((key) => meaningOf(key) !== meaning)).toEqual([]);
});

it("is also told by the object that the key is in", () => {
  expect(meaningOf("number", "card")).toBe("number");
  expect(meaningOf("number", "order")).toBe("reference");
  expect(meaningOf("id", "card")).toBe("reference");
  expect(meaningOf("", "")).toBe("free");
});
