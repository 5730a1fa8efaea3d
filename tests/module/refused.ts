import { Command } from "commander";
import { z } from "zod";
import { defineRoute } from "../../lib/http/route.js";
import { defineModule, type Module } from "../../lib/runtime/module.js";
import { DESK_QUEUES } from "./desk/queues.js";

const route = (path: `/${string}`) =>
  defineRoute({
    method: "GET",
    path,
    summary: "Wanted twice",
    answers: { 200: z.object({}) },
    handle: async () => ({ status: 200, body: {} }),
  });

/** Modules that each break a rule beside `desk`. */
export const REFUSED: Readonly<Record<string, Module>> = {
  queue: defineModule({ name: "queue", queues: [DESK_QUEUES] }),
  setting: defineModule({
    name: "setting",
    settings: { schema: z.object({ ROWS: z.string().default("") }), prefixes: ["SETTING_"] },
  }),
  view: defineModule({ name: "view", views: ["desk.audit_ticket"] }),
  command: defineModule({ name: "command", commands: [() => new Command("tickets")] }),
  path: defineModule({ name: "path", start: () => ({ parts: [], routes: [route("/tickets/:name")] }) }),
  scraped: defineModule({ name: "scraped", start: () => ({ parts: [], routes: [route("/metrics")] }) }),
  port: defineModule({
    name: "port",
    start: ({ settings: { HTTP_HOST: host, HTTP_PORT: port } }) => ({
      parts: [],
      operationsAt: { host, port },
    }),
  }),
};
