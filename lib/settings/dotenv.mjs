// @ts-check
import { readFileSync } from "node:fs";

/**
 * The one reader of `.env`: settings.ts imports it, scripts/lib.sh runs it, which must work before anything is built; hence
 * plain JavaScript. It reads each line as docker compose does, or refuses it: what the two would read differently, what
 * compose would fill in (`$NAME`) and what nobody understands are problems, never a silent guess.
 *
 *   NAME=value            to the end of the line or to ` #`; no escapes; `$$` is a `$`
 *   NAME='value'          as it stands, but for `\'`
 *   NAME="value"          with \n \r \t \" \\ \$; `$$` is a `$`
 *   export NAME = value   the same; a comment may follow a quoted value
 */

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/;
const QUOTED = /^(['"])((?:(?!\1)[^\\]|\\.)*)\1[ \t]*(?:#.*)?$/;
/** Whatever is neither to be seen nor a plain blank: pasted from elsewhere, and trimmed by some readers only. */
const UNSEEN = /[^\S \t]|(?!\t)\p{Cc}|\p{Cf}/u;
/** @type {Readonly<Record<string, string>>} */
const ESCAPES = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$" };

/**
 * @typedef {object} Dotenv
 * @property {Record<string, string>} values the last one counts where a name stands twice
 * @property {string[]} problems each begins with the line's number and says no value: it may be a password
 */

/** @param {string} text @returns {Dotenv} */
export function parseDotenv(text) {
  /** @type {Dotenv} */
  const read = { values: {}, problems: [] };
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^[ \t]*(#|$)/.test(line)) {
      continue;
    }
    try {
      const [name, value] = parseLine(line);
      read.values[name] = value;
    } catch (error) {
      read.problems.push(`${i + 1}: ${/** @type {Error} */ (error).message}`);
    }
  }
  return read;
}

/** The same of a file, whose problems then begin with its path. @param {string} path @returns {Dotenv} */
export function readDotenv(path) {
  const bytes = readFileSync(path);
  try {
    // Drops a byte order mark, too.
    const { values, problems } = parseDotenv(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return { values, problems: problems.map((problem) => `${path}:${problem}`) };
  } catch {
    return { values: {}, problems: [`${path}: is not a text in UTF-8`] };
  }
}

/** @param {string} line @returns {[string, string]} */
function parseLine(line) {
  if (UNSEEN.test(line)) {
    throw new Error("has a control character or an invisible one in it");
  }
  const [, name, raw] = ASSIGNMENT.exec(line) ?? [];
  if (name === undefined || raw === undefined) {
    throw new Error("is not NAME=value");
  }
  return [name, parseValue(name, raw.trimEnd())];
}

/** @param {string} name @param {string} raw @returns {string} */
function parseValue(name, raw) {
  if (/^['"]/.test(raw)) {
    const [, quote, body] = QUOTED.exec(raw) ?? [];
    if (body === undefined) {
      throw new Error(`${name}: the quote does not end the value on this line`);
    }
    if (quote === "'") {
      return body.replace(/\\(.)/g, (pair, char) => (char === "'" ? char : pair));
    }
    return body.replace(/\\(.)|\$\$?/g, (match, char) => {
      if (char === undefined) {
        return dollar(name, match);
      }
      const value = ESCAPES[char];
      if (value === undefined) {
        throw new Error(`${name}: a backslash in double quotes is written twice`);
      }
      return value;
    });
  }
  const value = raw.replace(/ #.*$/, "").trimEnd();
  if (/^#|\t#/.test(value)) {
    throw new Error(`${name}: a # that begins a value or follows a tab needs quotes`);
  }
  return value.replace(/\$\$?/g, (match) => dollar(name, match));
}

/** @param {string} name @param {string} match @returns {string} */
function dollar(name, match) {
  if (match === "$$") {
    return "$";
  }
  throw new Error(`${name}: variables are not filled in here; a $ itself is written $$, or in single quotes`);
}
