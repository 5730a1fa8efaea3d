// Services that signal themselves at a named point: `node service_at.mjs MODULE,… POINT NTH SIGNAL`. Points: `committed` (what is
// to be published has been committed), `published` (nothing has been acked, or removed from the outbox), or a statement, just
// before it is sent, by its name or by what its text begins with. It runs the compiled code in a process of its own, because what is tested is the death of a process. Not
// TypeScript, so that Node can start it as it is.

import pg from "pg";
import { MODULES } from "../../dist/app/modules.js";
import { chooseModules, serve } from "../../dist/app/serve.js";
import { loadAllSettings } from "../../dist/app/settings.js";
import { Publisher } from "../../dist/lib/broker/publisher.js";
import { createLogger } from "../../dist/lib/observability/log.js";

const [names, point, nth, signal] = process.argv.slice(2);
let left = Number(nth);
const reached = (here) => {
  if (here && --left === 0) {
    process.kill(process.pid, signal);
  }
};

const { publishEach } = Publisher.prototype;
Publisher.prototype.publishEach = async function (messages) {
  reached(point === "committed" && messages.length > 0);
  const results = await publishEach.call(this, messages);
  reached(point === "published" && messages.length > 0);
  return results;
};
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (...args) {
  const text = args[0]?.text ?? args[0];
  reached(args[0]?.name === point || (typeof text === "string" && text.trim().startsWith(point)));
  return query.apply(this, args);
};

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const logger = createLogger({ level: "info", format: "json", secrets: [] });
const modules = chooseModules(names.split(","), MODULES);
await serve({ modules, all: MODULES, settings: loadAllSettings(), logger, signal: stop.signal });
