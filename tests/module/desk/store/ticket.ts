import { z } from "zod";
import type { Queryable } from "../../../../lib/postgres/pool.js";

export const ticket = z.strictObject({
  id: z.uuid(),
  subject: z.string().min(1).max(200),
  priority: z.enum(["low", "high"]),
});
export type Ticket = z.infer<typeof ticket>;

/** @returns false when it has been entered before. */
export async function enterTicket(db: Queryable, { id, subject, priority }: Ticket): Promise<boolean> {
  const { rowCount } = await db.query(
    "INSERT INTO desk.ticket (ticket_id, subject, priority) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [id, subject, priority],
  );
  return rowCount === 1;
}

export async function findTicket(db: Queryable, id: string): Promise<Ticket | undefined> {
  const { rows } = await db.query<Ticket>(
    "SELECT ticket_id AS id, subject, priority FROM desk.ticket WHERE ticket_id = $1",
    [id],
  );
  return rows[0];
}

export async function countTickets(db: Queryable): Promise<Record<string, number>> {
  const { rows } = await db.query<{ priority: string; tickets: number }>(
    "SELECT priority, tickets FROM desk.audit_ticket ORDER BY priority",
  );
  return Object.fromEntries(rows.map(({ priority, tickets }) => [priority, tickets]));
}
