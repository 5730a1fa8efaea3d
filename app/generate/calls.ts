import { exampleBody } from "../../lib/http/example.mjs";

/** As much of an OpenAPI document as calls are made of. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary: string;
  readonly tags: readonly [string];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required: boolean;
  readonly example?: unknown;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

/** A request that works once those before it have been made. Ids that they made are in it as `{{variable}}`. */
export interface Call {
  readonly method: string;
  /** As the document has it: `/payments/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** Path and query. */
  readonly url: string;
  readonly body: unknown;
  /** Of the answer. */
  readonly status: number;
  /** That the answer, an object, has always. */
  readonly fields: readonly string[];
  /** The id that the answer gives to calls after it. */
  readonly makes: Made | undefined;
}

/** A service's calls, in an order in which they work. */
export interface ServiceCalls {
  readonly service: string;
  readonly base: Base;
  readonly calls: readonly Call[];
}

/** Where a service answers. */
export interface Base {
  readonly url: string;
  /** Its name in a shell, and in a Postman collection. */
  readonly shell: string;
  readonly variable: string;
}

const API: Base = { url: "http://localhost:8080", shell: "API", variable: "base_url" };
/** Of services that have no part in `payments serve`; of the reporters it is the first one. */
const APART: Readonly<Record<string, Base>> = {
  reporter: { url: "http://localhost:5002", shell: "REPORTER", variable: "reporter_url" },
};

export interface Made {
  readonly variable: string;
  readonly field: string;
}

const JSON_TYPE = "application/json";
/** An id of nothing, where no call makes one. */
const NO_ID = "00000000-0000-7000-8000-000000000000";

/** A call of each endpoint, service by service; in each what deletes comes last. */
export function callsOf({ paths }: ApiDocument): readonly ServiceCalls[] {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const makers = new Map<string, Made>();
  for (const { path } of operations) {
    const [, collection = "", field = ""] = /^(.+?)\/\{(\w+)\}/.exec(path) ?? [];
    const made = paths[collection]?.["post"];
    if (made !== undefined && answerOf(made).schema?.properties?.[field] !== undefined) {
      makers.set(collection, { variable: variableOf(collection, field), field });
    }
  }
  const known = Object.fromEntries([...makers.values()].map(({ variable }) => [variable, `{{${variable}}}`]));
  const callOf = ({ path, method, operation }: (typeof operations)[number]): Call => {
    const url = urlOf(path, operation.parameters ?? [], known);
    const { status, schema } = answerOf(operation, url);
    const taken = operation.requestBody?.content[JSON_TYPE];
    return {
      ...{ method, path, summary: operation.summary, status, url },
      body: taken && exampleBody(taken, known),
      fields: schema?.required ?? [],
      makes: method === "POST" ? makers.get(path) : undefined,
    };
  };
  const deletes = ({ method }: Call) => Number(method === "DELETE");
  return [...new Set(operations.map(({ operation }) => operation.tags[0]))].map((service) => ({
    service,
    base: APART[service] ?? API,
    calls: operations
      .filter(({ operation }) => operation.tags[0] === service)
      .map(callOf)
      .toSorted((a, b) => deletes(a) - deletes(b)),
  }));
}

/**
 * The answer when all is well, of several the first. What only another system can make is refused: a header that must be there, something
 * that no call makes.
 */
function answerOf(
  { responses, parameters = [] }: Operation,
  url = "",
): { status: number; schema: Schema | undefined } {
  const isSigned = parameters.some((each) => each.in === "header" && each.required);
  const refusals = [...(isSigned ? ["400"] : []), ...(url.includes(NO_ID) ? ["404"] : [])];
  const [status = "200"] = [...refusals, ...Object.keys(responses).filter((each) => each.startsWith("2"))];
  const schema = responses[status]?.content?.[JSON_TYPE]?.schema;
  return { status: Number(status), schema: schema?.anyOf?.[0] ?? schema };
}

/** `payment_id` of what POST /payments makes. */
const variableOf = (collection: string, field: string): string =>
  field === "id" ? `${collection.split("/").at(-1)?.replace(/s$/, "")}_id` : field;

/** With its examples; an id without one is what was made. */
function urlOf(
  path: string,
  parameters: readonly Parameter[],
  known: Readonly<Record<string, string>>,
): string {
  const shown = parameters.filter(({ required, example }) => required || example !== undefined);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string, at: number) => {
    const example = shown.find((each) => each.in === "path" && each.name === name)?.example;
    return String(example ?? known[variableOf(path.slice(0, at - 1), name)] ?? NO_ID);
  });
  const query = shown
    .filter((each) => each.in === "query")
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
  return query.length === 0 ? filled : `${filled}?${query.join("&")}`;
}
