import type { Base, Call, ServiceCalls } from "./calls.js";

/** The text of docs/api.md: a line of shell for each endpoint, which a test runs as they stand. */
export function apiPage(services: readonly ServiceCalls[]): string {
  const sections = services.map(
    ({ service, base, calls }) =>
      `## ${service}\n\`\`\`sh\n${calls.map((call) => lineOf(call, base)).join("\n")}\n\`\`\`\n`,
  );
  const bases = [...new Set(services.map(({ base }) => base))];
  return `# API

Generated from OpenAPI by \`npm run generate\`. Every endpoint of the platform with a line that works after those before it; a test
runs them all. [postman_collection.json](postman_collection.json) has the same for Postman. \`/openapi.json\` and \`/docs\` tell every field
and every refusal; a \`/\` at the end of a path changes nothing.

The lines take wallets as given (\`payments wallets seed\`), and change what runs. What no line can make is refused: another system's signature
(400), a mapping that a model gave (404). \`scripts/stack.sh status\` tells the address. Where \`HTTP_API_KEYS\` is set, add
\`-H "X-Api-Key: KEY"\`.
\`\`\`sh
${bases.map(({ shell, url }) => `${shell}=\${${shell}:-${url}}`).join("\n")}
\`\`\`

${sections.join("\n")}`;
}

function lineOf({ method, path, summary, url, body, status, makes }: Call, { shell }: Base): string {
  const said = [
    ...(method === "GET" ? [] : [`-X ${method}`]),
    `"$${shell}${url.replaceAll(/\{\{(\w+)\}\}/g, "$$$1")}"`,
    ...(body === undefined
      ? []
      : [
          "-H 'Content-Type: application/json'",
          `-d '${JSON.stringify(body).replaceAll(/\{\{(\w+)\}\}/g, `'"$$$1"'`)}'`,
        ]),
  ];
  const curl = `curl ${said.join(" ")}`;
  const line =
    makes === undefined
      ? curl
      : `${makes.variable}=$(${curl} | sed 's/.*"${makes.field}":"\\([^"]*\\)".*/\\1/'); echo "$${makes.variable}"`;
  return `# ${method} ${path}, ${status}: ${summary}\n${line}`;
}
