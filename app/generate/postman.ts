import type { Base, Call, ServiceCalls } from "./calls.js";

/** The text of docs/postman_collection.json, format 2.1: a request for each endpoint, with a test script. */
export function postmanCollection(services: readonly ServiceCalls[]): string {
  const made = services.flatMap(({ calls }) => calls.flatMap(({ makes }) => makes?.variable ?? []));
  const collection = {
    info: {
      name: "payments-platform",
      description:
        "Generated from OpenAPI by npm run generate. Run it from its beginning: ids are carried in variables.",
      schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
    },
    variable: [
      ...[...new Set(services.map(({ base }) => base))].map(({ variable: key, url: value }) => ({
        key,
        value,
      })),
      ...made.map((key) => ({ key, value: "" })),
    ],
    item: services.map(({ service: name, base, calls }) => ({
      name,
      item: calls.map((call) => itemOf(call, base)),
    })),
  };
  return `${JSON.stringify(collection, null, 2)}\n`;
}

function itemOf(
  { method, path, summary, url, body, status, fields, makes }: Call,
  { variable }: Base,
): object {
  const names = fields.map((field) => JSON.stringify(field)).join(", ");
  const exec = [
    `pm.test("answers ${status}", () => pm.response.to.have.status(${status}));`,
    ...(names === ""
      ? []
      : [`pm.test("has its fields", () => pm.expect(pm.response.json()).to.include.all.keys(${names}));`]),
    ...(makes === undefined
      ? []
      : [`pm.collectionVariables.set("${makes.variable}", pm.response.json().${makes.field});`]),
  ];
  const json = {
    header: [{ key: "Content-Type", value: "application/json" }],
    body: { mode: "raw", raw: JSON.stringify(body), options: { raw: { language: "json" } } },
  };
  return {
    name: `${method} ${path}`,
    request: {
      ...{ method, url: `{{${variable}}}${url}`, description: summary },
      ...(body === undefined ? {} : json),
    },
    event: [{ listen: "test", script: { type: "text/javascript", exec } }],
  };
}
