import type { Call, ServiceCalls } from "./calls.js";

/** The text of docs/api.md: a line of shell for each endpoint, which a test runs as they stand. */
export function apiPage(services: readonly ServiceCalls[]): string {
  const sections = services.map(
    ({ service, calls }) => `## ${service}\n\`\`\`sh\n${calls.map(lineOf).join("\n")}\n\`\`\`\n`,
  );
  return `# API

Generated from OpenAPI by \`npm run generate\`. Every endpoint of the platform with a line that works after those before it; a test
runs them all. [postman_collection.json](postman_collection.json) has the same for Postman. \`/openapi.json\` and \`/docs\` tell every field
and every refusal; a \`/\` at the end of a path changes nothing.

The lines take wallets as given (\`payments wallets seed\`), and change what runs. \`scripts/stack.sh status\` tells the address. Where
\`HTTP_API_KEYS\` is set, add \`-H "X-Api-Key: KEY"\`.
\`\`\`sh
API=\${API:-http://localhost:8080}
\`\`\`

${sections.join("\n")}`;
}

function lineOf({ method, path, summary, url, body, status, makes }: Call): string {
  const said = [
    ...(method === "GET" ? [] : [`-X ${method}`]),
    `"$API${url.replaceAll(/\{\{(\w+)\}\}/g, "$$$1")}"`,
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
