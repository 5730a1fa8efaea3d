import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { FastifyInstance, onRequestHookHandler } from "fastify";
import { fileOfBuild } from "../root.js";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; border-radius: .25rem; }
details details, details > :not(summary) { margin-left: 1rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }`;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>payments-platform API</title>
<style>${STYLE}</style>
<h1>payments-platform API</h1>
<p>All of it as data: <a href="/openapi.json">/openapi.json</a></p>
<main aria-live="polite">Loading…</main>
<script type="module" src="/docs/page.mjs"></script>
</html>
`;

/** The page may load its own script, its own style and the document. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'sha256-${hash("sha256", STYLE, "base64")}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SCRIPTS = { "page.mjs": "docs_page.mjs", "example.mjs": "example.mjs" };

/** /openapi.json, and /docs, a page that shows it, with its scripts. @param document made when it is first asked for. */
export function addDocs(
  server: FastifyInstance,
  onRequest: onRequestHookHandler,
  document: () => Promise<string>,
): void {
  const headers = { "content-security-policy": POLICY, "x-content-type-options": "nosniff" };
  server.get("/openapi.json", { onRequest }, async (_, reply) =>
    reply.type("application/json; charset=utf-8").send(await document()),
  );
  server.get("/docs", { onRequest }, async (_, reply) =>
    reply.headers(headers).type("text/html; charset=utf-8").send(PAGE),
  );
  for (const [name, file] of Object.entries(SCRIPTS)) {
    const script = readFileSync(fileOfBuild(import.meta.dirname, `lib/http/${file}`), "utf8");
    server.get(`/docs/${name}`, { onRequest }, async (_, reply) =>
      reply.headers(headers).type("text/javascript; charset=utf-8").send(script),
    );
  }
}
