import { XMLParser, XMLValidator } from "fast-xml-parser";
import { maskCardData } from "../../../lib/domain/card_data.js";
import { Malformed } from "./malformed.js";
import { numberedCharacter, REFERENCE } from "./xml_characters.js";

/** Attributes are members `@name`; the text of an element that has some is its `#text`. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  textNodeName: "#text",
  removeNSPrefix: true,
  // Entities are never expanded: `decoded` knows the five of XML and numbers.
  processEntities: false,
  // `0000` and `08` stay what they are.
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: 60,
});

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * The tree of an XML text: `{root: {child: "text", "@attribute": "text"}}`, without prefixes of namespaces. The encoding that its
 * prolog names is ignored: text is decoded already.
 *
 * @param maxKeys elements and attributes, counted before anything is parsed
 * @throws Malformed for what is not well formed, declares entities, or has an internal DTD subset. An external DTD may be named, as
 * Worldpay does, and is never fetched.
 */
export function parseXml(text: string, maxKeys: number): unknown {
  refuseSubset(text);
  if (countOf(text, "<") > 2 * maxKeys || countOf(text, "=") > 2 * maxKeys) {
    throw new Malformed(`it has more than ${maxKeys} elements and attributes`);
  }
  if (XMLValidator.validate(text) !== true) {
    throw new Malformed("it is no well-formed XML");
  }
  try {
    // Markup may stand between the digits of a number that are together here.
    return maskCardData(decoded(parser.parse(text))).value;
  } catch (error) {
    // The parser throws for elements that are called as what objects have by themselves.
    throw error instanceof Malformed ? error : new Malformed("it is no XML that may be read");
  }
}

function refuseSubset(text: string): void {
  const doctype = /<!DOCTYPE(?:[^[\]<>"']|"[^"<>]*"|'[^'<>]*')*/i.exec(text);
  if (/<!(?:ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text) || (doctype !== null && endOf(doctype) !== ">")) {
    throw new Malformed("it has an internal DTD subset, or declares entities");
  }
  function endOf(match: RegExpExecArray): string {
    return text.charAt(match.index + match[0].length);
  }
}

function countOf(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) {
    count += 1;
  }
  return count;
}

function decoded(node: unknown): unknown {
  if (typeof node === "string") {
    return node.includes("&") ? node.replaceAll(REFERENCE, character) : node;
  }
  if (Array.isArray(node)) {
    return node.map(decoded);
  }
  return typeof node === "object" && node !== null
    ? Object.fromEntries(Object.entries(node).map(([name, member]) => [name, decoded(member)]))
    : node;
}

/** An entity that XML does not have by itself stays as it stands: its DTD is never read. */
function character(entity: string, name: string): string {
  if (!name.startsWith("#")) {
    return ENTITIES[name] ?? entity;
  }
  const numbered = numberedCharacter(name);
  if (numbered === undefined) {
    throw new Malformed("a character reference names no character");
  }
  return numbered;
}
