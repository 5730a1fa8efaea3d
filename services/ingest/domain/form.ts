import { Malformed } from "./malformed.js";

const FORM = /^[\w.[\]%+~-]{1,100}=[^&\s]*(?:&[\w.[\]%+~-]{1,100}=[^&\s]*)*$/;

/**
 * The pairs of an `application/x-www-form-urlencoded` text.
 *
 * @returns undefined where it is none: blanks, or a part without `=`.
 * @throws Malformed where a name comes twice.
 */
export function parseForm(text: string): Record<string, string> | undefined {
  if (!FORM.test(text)) {
    return undefined;
  }
  const form: Record<string, string> = {};
  for (const pair of text.split("&")) {
    const at = pair.indexOf("=");
    const name = percentDecoded(pair.slice(0, at));
    if (Object.hasOwn(form, name) || name === "__proto__") {
      throw new Malformed("a name of the form comes twice, or is __proto__");
    }
    form[name] = percentDecoded(pair.slice(at + 1));
  }
  return form;
}

/** In UTF-8, else in ISO 8859-1, as older gateways encode. */
export function percentDecoded(text: string): string {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}
