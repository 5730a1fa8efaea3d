import { maskCardData, maskCardText } from "../../lib/domain/card_data.js";
import type { RawBody } from "./domain/document.js";

/** The body without card data, as it may be stored, logged and shown to a model. */
export const masked = (raw: RawBody): RawBody =>
  "text" in raw ? { text: maskCardText(raw.text) } : { value: maskCardData(raw.value).value };
