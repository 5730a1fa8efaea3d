import { chai } from "vitest";

interface Item {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly header?: readonly { readonly key: string; readonly value: string }[];
    readonly body?: { readonly raw: string };
  };
  readonly event: readonly { readonly script: { readonly exec: readonly string[] } }[];
}

/** As much of a Postman collection, format 2.1, as ours has. */
export interface Collection {
  readonly variable: readonly { readonly key: string; readonly value: string }[];
  readonly item: readonly { readonly name: string; readonly item: readonly Item[] }[];
}

export interface CollectionOptions {
  /** Where services answer, by the name of the variable. */
  readonly urls: Readonly<Record<string, string>>;
  /** Of a request's URL, before it is sent. */
  readonly change?: (url: string) => string;
  readonly send?: typeof fetch;
}

/**
 * Sends a collection's requests in their order and runs their tests, as Postman does.
 *
 * @returns what became of each test: `GET /health: answers 200`, and after it what was wrong
 */
export async function runCollection(
  { variable, item }: Collection,
  { urls, change = (url) => url, send = fetch }: CollectionOptions,
): Promise<readonly string[]> {
  const variables = new Map([
    ...variable.map(({ key, value }) => [key, value] as const),
    ...Object.entries(urls),
  ]);
  const filled = (text: string) =>
    text.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => variables.get(key) ?? "");
  const results: string[] = [];
  for (const { name, request, event } of item.flatMap((folder) => folder.item)) {
    const response = await send(change(filled(request.url)), {
      method: request.method,
      headers: Object.fromEntries((request.header ?? []).map(({ key, value }) => [key, value])),
      ...(request.body === undefined ? {} : { body: filled(request.body.raw) }),
    });
    const text = await response.text();
    const pm = {
      test: (what: string, check: () => unknown) => {
        try {
          check();
          results.push(`${name}: ${what}`);
        } catch (error) {
          results.push(`${name}: ${what}: ${error}: ${text}`);
        }
      },
      expect: chai.expect,
      response: {
        json: () => JSON.parse(text) as unknown,
        to: { have: { status: (status: number) => chai.expect(response.status).to.equal(status) } },
      },
      collectionVariables: { set: (key: string, value: string) => variables.set(key, value) },
    };
    for (const { script } of event) {
      new Function("pm", script.exec.join("\n"))(pm);
    }
  }
  return results;
}

/** What they are when each request passes its tests. */
export function testsOf({ item }: Collection): readonly string[] {
  const items = item.flatMap((folder) => folder.item);
  return items.flatMap(({ name, event }) =>
    event
      .flatMap(({ script }) => script.exec)
      .flatMap((line) => /^pm\.test\("([^"]+)"/.exec(line)?.[1] ?? [])
      .map((what) => `${name}: ${what}`),
  );
}
