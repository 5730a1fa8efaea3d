import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import { type Client, type Pool, transaction } from "../../lib/postgres/pool.js";
import { enterPopulation, lockPopulation } from "../ledger/population.js";
import {
  ACCOUNT_COLUMNS,
  accountLines,
  MERCHANT_COLUMNS,
  merchantLines,
  TERMINAL_COLUMNS,
  terminalLines,
} from "./rows.js";
import { requireSeed, seedState } from "./state.js";

/** Lines are sent in pieces of about this size: two socket writes each, so single lines would cost. */
const PIECE_CHARACTERS = 64 * 1_024;

/**
 * Fills the dimensions, all or nothing.
 *
 * @returns false when they were there already; nothing is changed then.
 * @throws PlatformError NOT_SEEDED when they were seeded with other contents.
 */
export async function seed(pool: Pool): Promise<boolean> {
  return transaction(pool, async (client) => {
    await lockPopulation(client);
    if ((await seedState(client)) !== "absent") {
      await requireSeed(client);
      return false;
    }
    await copyLines(client, `payments.account (${ACCOUNT_COLUMNS})`, accountLines());
    await copyLines(client, `payments.merchant (${MERCHANT_COLUMNS})`, merchantLines());
    await copyLines(client, `payments.terminal (${TERMINAL_COLUMNS})`, terminalLines());
    await enterPopulation(client);
    return true;
  });
}

async function copyLines(client: Client, target: string, lines: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(pieces(lines)), client.query(copyFrom(`COPY ${target} FROM STDIN`)));
}

function* pieces(lines: Iterable<string>): Generator<string> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARACTERS) {
      continue;
    }
    yield piece;
    piece = "";
  }
  yield piece;
}
