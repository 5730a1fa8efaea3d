import { decodedBase64 } from "./base64.js";
import { countryOf } from "./country.js";
import { type Document, type Format, parseDocument } from "./document.js";
import { Malformed } from "./malformed.js";
import { textOf } from "./path.js";

/** What is inside of an envelope, with what the envelope itself says. */
export interface Unwrapped extends Document {
  readonly pointer: string;
  readonly provider?: string | undefined;
  readonly merchant?: string | undefined;
  /** ISO 3166 alpha-2. */
  readonly country?: string | undefined;
}

/** Members whose text is a document in base64. */
const ENCODED = ["Ds_MerchantParameters", "DS_MERCHANTPARAMETERS", "bt_payload"] as const;

type Members = Readonly<Record<string, unknown>>;

/**
 * Takes a document out of what it was sent in: base64 of Redsys and Braintree, a row of the data lake, text in `content`.
 *
 * @throws Malformed where what is inside is.
 */
export function unwrapped({ format, root, pointer }: Document & { readonly pointer: string }): Unwrapped {
  if (typeof root !== "object" || root === null) {
    throw new Malformed("a record is no object");
  }
  const members = root as Members;
  const encoded = ENCODED.find((name) => typeof members[name] === "string");
  if (encoded !== undefined) {
    return inner(decodedBase64(members[encoded] as string).text, `${pointer}/${encoded}`);
  }
  if (Object.hasOwn(members, "transactional_id") && Object.hasOwn(members, "data")) {
    return ofLake(members, pointer);
  }
  const { content } = members;
  if (typeof content === "string" && Object.keys(members).length <= 3) {
    return { ...inner(content, `${pointer}/content`), provider: textOf(members["provider"]) };
  }
  return { format, root, pointer };
}

/** A row of `raw_transactions`: its merchant is told beside the provider's data. */
function ofLake(row: Members, pointer: string): Unwrapped {
  const { data } = row;
  const merchant = (typeof row["merchant"] === "object" ? row["merchant"] : {}) as Members | null;
  const inside =
    typeof data === "string"
      ? inner(data, `${pointer}/data`)
      : unwrapped({ format: "json" as Format, root: data, pointer: `${pointer}/data` });
  return {
    ...inside,
    provider: textOf(row["provider"]) ?? inside.provider,
    merchant: textOf(merchant?.["name"])?.trim(),
    country: countryOf(textOf(merchant?.["country"]) ?? ""),
  };
}

function inner(text: string, pointer: string): Unwrapped {
  return { ...parseDocument({ text }), pointer };
}
