/**
 * The row being made: one object per chunk, filled again for each row, so that the loop allocates nothing. Codes are indices
 * into the lists of lib/domain/codes.ts.
 */
export class RowBuffer {
  txnId = 0;
  timeMs = 0;
  /** Ids as stored, counted from 1. */
  account = 0;
  merchant = 0;
  terminal = 0;
  /** Hundredths of a unit of the currency. */
  cents = 0;
  currency = 0;
  kind = 0;
  channel = 0;
  network = 0;
  status = 0;
  response = 0;
  /** 0: none. */
  originalId = 0;
  /** 1: part of a fraud pattern. */
  fraud = 0;
}
