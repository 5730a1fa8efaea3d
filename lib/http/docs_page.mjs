// Runs in the browser: shows /openapi.json. What comes from the document is set as text, never as HTML.

import { exampleBody } from "./example.mjs";

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

function curlOf(method, path, operation) {
  const parts = [`curl -X ${method.toUpperCase()} ${location.origin}${path}`];
  const body = operation.requestBody?.content["application/json"];
  if (body) {
    parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(exampleBody(body))}'`);
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
