// Runs in the browser: shows /openapi.json. What comes from the document is set as text, never as HTML.

/** @returns an element with text or elements in it. */
function element(tag, ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  return made;
}

function folded(title, ...content) {
  return element("details", element("summary", ...title), ...content);
}

const pre = (value) => element("pre", typeof value === "string" ? value : JSON.stringify(value, null, 2));

function schemaOf(body) {
  const [type, media] = Object.entries(body?.content ?? {})[0] ?? [];
  return type === undefined ? [] : [element("p", type), pre(media.schema ?? {})];
}

/** A value that a schema would take, as a beginning for whoever tries. */
function exampleOf(schema = {}) {
  if (schema.examples?.[0] !== undefined || schema.default !== undefined) {
    return schema.examples?.[0] ?? schema.default;
  }
  if (schema.enum) {
    return schema.enum[0];
  }
  if (schema.properties) {
    const fields = Object.entries(schema.properties).filter(([name]) => schema.required?.includes(name));
    return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field)]));
  }
  return { integer: 1, number: 1, boolean: true, array: [], object: {} }[schema.type] ?? "text";
}

function curlOf(method, path, operation) {
  const parts = [`curl -X ${method.toUpperCase()} ${location.origin}${path}`];
  const body = operation.requestBody?.content["application/json"];
  if (body) {
    parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(exampleOf(body.schema))}'`);
  }
  return parts.join(" \\\n  ");
}

function showOperation(path, method, operation) {
  const verb = element("code", method.toUpperCase());
  verb.className = "method";
  const answers = Object.entries(operation.responses ?? {}).filter(([, { $ref }]) => $ref === undefined);
  return folded(
    [verb, element("code", path), ` ${operation.summary ?? ""}`],
    pre(curlOf(method, path, operation)),
    ...(operation.parameters ? [folded(["Parameters"], pre(operation.parameters))] : []),
    ...(operation.requestBody ? [folded(["Request"], ...schemaOf(operation.requestBody))] : []),
    ...answers.map(([status, answer]) => folded([`Answer ${status}`], ...schemaOf(answer))),
  );
}

function show({ paths, components }) {
  const services = new Map();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const service = operation.tags?.[0] ?? "";
      services.set(service, [...(services.get(service) ?? []), showOperation(path, method, operation)]);
    }
  }
  const sections = [...services].map(([service, shown]) =>
    element("section", element("h2", service), ...shown),
  );
  return [...sections, element("h2", "Refusals"), pre(components.schemas.Problem)];
}

const main = document.querySelector("main");
try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) {
    throw new Error(`/openapi.json answers ${answer.status}`);
  }
  main.replaceChildren(...show(await answer.json()));
} catch (error) {
  main.replaceChildren(String(error));
}
