import { exampleOf } from "../../lib/http/example.mjs";

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

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
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
  readonly calls: readonly Call[];
}

export interface Made {
  readonly variable: string;
  readonly field: string;
}

const JSON_TYPE = "application/json";

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
    const { status, schema } = answerOf(operation);
    const taken = operation.requestBody?.content[JSON_TYPE]?.schema;
    return {
      ...{ method, path, summary: operation.summary, status },
      url: urlOf(path, operation.parameters ?? []),
      body: taken && exampleOf(taken, known),
      fields: schema?.required ?? [],
      makes: method === "POST" ? makers.get(path) : undefined,
    };
  };
  const deletes = ({ method }: Call) => Number(method === "DELETE");
  return [...new Set(operations.map(({ operation }) => operation.tags[0]))].map((service) => ({
    service,
    calls: operations
      .filter(({ operation }) => operation.tags[0] === service)
      .map(callOf)
      .toSorted((a, b) => deletes(a) - deletes(b)),
  }));
}

/** The answer when all is well. Where a header must be there that only another system can make, that is a refusal. */
function answerOf({ responses, parameters = [] }: Operation): { status: number; schema: Schema | undefined } {
  const isForeign = parameters.some((each) => each.in === "header" && each.required);
  const status = isForeign ? "400" : (Object.keys(responses).find((each) => each.startsWith("2")) ?? "200");
  return { status: Number(status), schema: responses[status]?.content?.[JSON_TYPE]?.schema };
}

/** `payment_id` of what POST /payments makes. */
const variableOf = (collection: string, field: string): string =>
  field === "id" ? `${collection.split("/").at(-1)?.replace(/s$/, "")}_id` : field;

/** With its examples; an id without one is what was made. */
function urlOf(path: string, parameters: readonly Parameter[]): string {
  const shown = parameters.filter(({ required, example }) => required || example !== undefined);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string, at: number) => {
    const example = shown.find((each) => each.in === "path" && each.name === name)?.example;
    return String(example ?? `{{${variableOf(path.slice(0, at - 1), name)}}}`);
  });
  const query = shown
    .filter((each) => each.in === "query")
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
  return query.length === 0 ? filled : `${filled}?${query.join("&")}`;
}
