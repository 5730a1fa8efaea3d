import type { Publisher } from "../../../../lib/broker/publisher.js";
import type { Route } from "../../../../lib/http/route.js";
import type { Pool } from "../../../../lib/postgres/pool.js";
import { getTicket } from "./get_ticket.js";
import { openTicket } from "./open_ticket.js";

export const deskRoutes = ({ pool, publisher }: { pool: Pool; publisher: Publisher }): readonly Route[] => [
  openTicket(publisher),
  getTicket(pool),
];
