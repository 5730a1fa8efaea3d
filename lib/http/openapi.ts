import swagger from "@fastify/swagger";
import fastify from "fastify";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import { z } from "zod";
import { OPERATIONS } from "./operations.js";
import type { Route } from "./route.js";

/** What any endpoint may answer, and what those with a body may besides. */
const ALWAYS = [400, 401, 429, 503];
const WITH_BODY = [409, 413, 415, 422];

const text = { type: "string" };
const PROBLEM_SCHEMA = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "trace_id", "retryable"],
  properties: {
    type: { ...text, format: "uri" },
    title: text,
    status: { type: "integer" },
    detail: text,
    code: { ...text, description: "Stable; docs/modules.md lists all." },
    trace_id: { ...text, pattern: "^[0-9a-f]{32}$" },
    retryable: { type: "boolean", description: "The same request may succeed later." },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["in", "pointer", "detail"],
        properties: {
          in: { enum: ["body", "query", "path", "header"] },
          pointer: { ...text, description: "JSON pointer, RFC 6901, as a fragment" },
          detail: text,
        },
      },
    },
  },
};
const COMPONENTS = {
  schemas: { Problem: PROBLEM_SCHEMA },
  responses: {
    Problem: {
      description: "Refused, as RFC 9457 describes it",
      headers: { "Retry-After": { description: "Seconds; where retryable", schema: { type: "integer" } } },
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  },
  securitySchemes: {
    bearer: { type: "http", scheme: "bearer" },
    api_key: { type: "apiKey", in: "header", name: "X-Api-Key" },
  },
};

/** What the document says of an operation; the plugin that makes it fills in the rest. */
interface Operation {
  parameters?: object[];
  requestBody?: { content: Record<string, object> };
  responses?: Record<string, object>;
}

/** An example is of what is sent, also where its schema makes something else of it: zod leaves those out. */
const withExamples = createJsonSchemaTransform({
  zodToJsonConfig: {
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.["examples"];
      if (Array.isArray(examples)) {
        jsonSchema.examples = examples;
      }
    },
  },
});

const operations = Object.fromEntries(
  Object.entries(OPERATIONS).map(([path, { summary, type }]) => [
    path,
    {
      get: {
        ...{ summary, tags: ["every process"], security: [] },
        responses: { 200: { description: "Well", content: { [type]: { schema: {} } } } },
      },
    },
  ]),
);

/** The OpenAPI 3.1 document of routes, as JSON text. They need not run here: nothing of them is called. */
export async function describeApi(version: string, routes: readonly Route[]): Promise<string> {
  const described = fastify({ exposeHeadRoutes: false });
  described.setValidatorCompiler(() => () => true);
  described.setSerializerCompiler(() => () => "");
  await described.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "payments-platform", version },
    },
    transform: withExamples,
  });
  const listed = routes.filter(({ unlisted }) => unlisted !== true);
  for (const { method, path, summary, request = {}, answers, handle, service, bodyShape } of listed) {
    const { params, query, body = bodyShape } = request;
    const schema = {
      ...{ summary, tags: service === undefined ? [] : [service], response: answers },
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body }),
    };
    described.route({ method, url: path, schema, handler: handle });
  }
  await described.ready();
  const document = described.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
  await described.close();
  for (const route of listed) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    complete(document.paths[path]?.[route.method.toLowerCase()] ?? {}, route);
  }
  // The last: no key, where none is set.
  const security = [{ bearer: [] }, { api_key: [] }, {}];
  const paths = { ...operations, ...document.paths };
  return JSON.stringify({ ...document, paths, components: COMPONENTS, security });
}

function complete(operation: Operation, { request, bodies = {}, idempotency, vary, signedBy }: Route): void {
  if (vary !== undefined) {
    const parameter = { name: vary, in: "header", required: false, schema: text };
    operation.parameters = [...(operation.parameters ?? []), parameter];
  }
  if (signedBy !== undefined) {
    const parameter = { name: signedBy, in: "header", required: true, schema: text };
    operation.parameters = [...(operation.parameters ?? []), parameter];
  }
  if (idempotency !== undefined) {
    operation.parameters = [
      ...(operation.parameters ?? []),
      {
        ...{ name: "Idempotency-Key", in: "header", required: idempotency === "required" },
        description: "A repetition with the same key gets the first one's answer.",
        schema: { ...text, minLength: 1, maxLength: 255 },
      },
    ];
  }
  for (const type of Object.keys(bodies)) {
    operation.requestBody ??= { content: {} };
    operation.requestBody.content[type] ??= { schema: text };
  }
  const takesBody = request?.body !== undefined || Object.keys(bodies).length > 0;
  for (const status of takesBody ? [...ALWAYS, ...WITH_BODY] : ALWAYS) {
    operation.responses = { [status]: { $ref: "#/components/responses/Problem" }, ...operation.responses };
  }
}
