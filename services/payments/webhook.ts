import { bodyOf } from "./routes/payment_body.js";
import { type PaymentRow, paymentOf } from "./store/payment.js";

/** A payment's row as the statement that changed it entered it into `saga.webhook`: JSON has neither bigints nor dates. */
type ToldRow = {
  readonly [Key in keyof PaymentRow]: PaymentRow[Key] extends bigint | Date ? string : PaymentRow[Key];
};

/** What a webhook says of a payment: what `GET /payments/{id}` answered at that change. */
export function presentPayment(data: unknown): ReturnType<typeof bodyOf> {
  const told = data as ToldRow;
  return bodyOf(
    paymentOf({
      ...told,
      amount: BigInt(told.amount),
      refunded: BigInt(told.refunded),
      createdAt: new Date(told.createdAt),
      updatedAt: new Date(told.updatedAt),
    }),
  );
}
