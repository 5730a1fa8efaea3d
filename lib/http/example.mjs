/**
 * A value that a JSON schema takes, for whoever tries: its example or default, of an object the fields that it must have.
 *
 * @param {any} schema
 * @param {Readonly<Record<string, unknown>>} [known] values by field's name, for fields without an example
 * @returns {any}
 */
function exampleOf(schema = {}, known = {}) {
  const given = schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) {
    return given;
  }
  const [first] = schema.oneOf ?? schema.anyOf ?? [];
  if (first !== undefined) {
    return exampleOf(first, known);
  }
  if (schema.properties) {
    const fields = Object.entries(schema.properties).filter(([name]) => schema.required?.includes(name));
    return Object.fromEntries(
      fields.map(([name, field]) => [name, field.examples?.[0] ?? known[name] ?? exampleOf(field, known)]),
    );
  }
  return { integer: 1, number: 1, boolean: true, array: [], object: {} }[schema.type] ?? "text";
}

/**
 * A body that an endpoint takes.
 *
 * @param {{ readonly schema?: any, readonly example?: unknown }} media of an OpenAPI document
 * @param {Readonly<Record<string, unknown>>} [known]
 * @returns {unknown}
 */
export const exampleBody = ({ schema, example }, known) => example ?? exampleOf(schema, known);
