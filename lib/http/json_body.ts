import type { FastifyInstance } from "fastify";
import { parseJson } from "../domain/json_parse.js";

/** Bodies are read without loss in place of fastify's own way, which changes numbers and takes names that come twice. */
export function readJsonBodies(server: FastifyInstance): void {
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_: unknown, body: Buffer) =>
    parseJson(body),
  );
}
