import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../root.js";
import { parseDotenv, readDotenv } from "./dotenv.mjs";

const folder = mkdtempSync(join(tmpdir(), "dotenv-"));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(bytes: string | Uint8Array): string {
  const path = join(folder, "env");
  writeFileSync(path, bytes);
  return path;
}

/** What follows `NAME=`, and what docker compose makes of it (compose-go, dotenv/parser.go). */
const TAKEN: [string, string][] = [
  ["plain", "plain"],
  ["", ""],
  ["two words  ", "two words"],
  ["abc#def", "abc#def"],
  ["abc # a comment", "abc"],
  ["abc #", "abc"],
  ["a=b=c", "a=b=c"],
  ["it's", "it's"],
  ['say "hi"', 'say "hi"'],
  ["back\\slash\\n", "back\\slash\\n"],
  ["pa$$word", "pa$word"],
  ["`id` & ; | * ? (x) <y> !", "`id` & ; | * ? (x) <y> !"],
  ["ünïcödé", "ünïcödé"],
  ["'single # $HOME \\n'", "single # $HOME \\n"],
  ["'it\\'s'", "it's"],
  ["'a\\\\'", "a\\\\"],
  ["'quoted' # comment", "quoted"],
  ["'quoted'#comment", "quoted"],
  ["''", ""],
  ['"double # \' quote"', "double # ' quote"],
  ['"a\\"b\\\\n\\n\\t\\$HOME$$"', 'a"b\\n\n\t$HOME$'],
  ['"quoted"   # comment', "quoted"],
  ["  ' led by blanks '", " led by blanks "],
];

/** Lines that compose reads otherwise than it seems, that it fills in, or that nobody understands. */
const REFUSED: [string, RegExp][] = [
  ["NAME", /is not NAME=value/],
  ["NAME: value", /is not NAME=value/],
  ["my name=x", /is not NAME=value/],
  ["1NAME=x", /is not NAME=value/],
  ["NAME.X=x", /is not NAME=value/],
  ["=x", /is not NAME=value/],
  ["<<<<<<< HEAD", /is not NAME=value/],
  ["NAME=$HOME/x", /NAME: variables are not filled in/],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a user writes
  ["NAME=${HOME:-x}", /NAME: variables are not filled in/],
  ["NAME=cost$", /NAME: variables are not filled in/],
  ['NAME="$HOME"', /NAME: variables are not filled in/],
  ["NAME= # comment", /NAME: a # that begins a value/],
  ["NAME=#x", /NAME: a # that begins a value/],
  ["NAME=x\t# comment", /NAME: a # that begins a value or follows a tab/],
  ["NAME='open", /NAME: the quote does not end/],
  ['NAME="open\\"', /NAME: the quote does not end/],
  ["NAME='x'y", /NAME: the quote does not end/],
  ['NAME="x" y', /NAME: the quote does not end/],
  ['NAME="\\d"', /NAME: a backslash in double quotes/],
  ["NAME=x\u00a0", /invisible/],
  ["NAME=\u200bx", /invisible/],
  ["NAME=x\ry", /invisible/],
  ["NAME=x\0", /invisible/],
];

describe("a line of .env", () => {
  it.each(TAKEN)("NAME=%s is read as docker compose reads it", (raw, value) => {
    expect(parseDotenv(`NAME=${raw}`)).toEqual({ values: { NAME: value }, problems: [] });
  });

  it.each(["export NAME=x", "  NAME=x", "NAME = x", "\texport\tNAME =x"])("%j names NAME", (line) => {
    expect(parseDotenv(line)).toEqual({ values: { NAME: "x" }, problems: [] });
  });

  it.each(REFUSED)("%j is refused, by number and without its value", (line, problem) => {
    const { values, problems } = parseDotenv(`A=1\n# NAME='\n\n${line}\nB=2`);
    expect(values).toEqual({ A: "1", B: "2" });
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems[0]).toMatch(/^4: /);
  });

  it("may be any of many: the last one counts, blank lines and comments do not", () => {
    expect(parseDotenv("# \0 anything\n\nA=1\n  # B=1\nA=2\n").values).toEqual({ A: "2" });
  });
});

describe("a file", () => {
  it.each([
    ["a byte order mark", "\ufeffA=1\nB='2'\n"],
    ["ends of lines as on Windows", "A=1\r\nB='2'\r\n"],
    ["no end of its last line", "A=1\nB='2'"],
  ])("with %s", (_, text) => {
    expect(readDotenv(fileWith(text))).toEqual({ values: { A: "1", B: "2" }, problems: [] });
  });

  it.each([
    ["UTF-16", Buffer.from("\ufeffA=1\n", "utf16le")],
    ["Latin-1", Buffer.from("A=ü\n", "latin1")],
  ])("in %s is refused", (_, bytes) => {
    expect(readDotenv(fileWith(bytes)).problems).toEqual([expect.stringMatching(/UTF-8/)]);
  });
});

describe("scripts/lib.sh", () => {
  const lib = join(packageRoot, "scripts", "lib.sh");
  const bash = (script: string, file: string) =>
    execFileSync("bash", ["-pc", `source "$1"; ${script}`, "test", lib], {
      env: { PATH: process.env["PATH"], PAYMENTS_ENV_FILE: file },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });

  it("reads all of it just the same", () => {
    const file = fileWith(TAKEN.map(([raw], i) => `N${i}=${raw}\n`).join(""));
    const names = TAKEN.map((_, i) => `N${i}`).join(" ");
    const read = bash(
      `read_env_file; for n in ${names}; do printf '%s\\0' "$(setting $n unset)"; done`,
      file,
    );
    expect(read.split("\0").slice(0, -1)).toEqual(TAKEN.map(([, value]) => value || "unset"));
  });

  it("ends with 2 and the line, wherever a setting is asked for", () => {
    const file = fileWith("A=1\nB\n");
    for (const script of ["set -e; a=$(setting A x); echo $a", "read_env_file; echo on"]) {
      expect(() => bash(script, file)).toThrow(
        expect.objectContaining({ status: 2, stdout: "", stderr: expect.stringContaining(`${file}:2: `) }),
      );
    }
  });
});
