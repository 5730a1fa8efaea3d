import { createHash } from "node:crypto";
import { numberText } from "../../../lib/domain/json.js";
import { type CompiledCondition, type CompiledRule, compileRule } from "./compile.js";
import { FORMATS, type Format } from "./document.js";
import { type CompiledPath, find, locate, type Scope } from "./path.js";
import type { ProviderRules } from "./rule.js";

/** What a body's shape and its hint come to. */
export type Recognised =
  | { readonly kind: "rule"; readonly rule: CompiledRule }
  /** The hint names another provider than those that have this shape. */
  | { readonly kind: "contradiction"; readonly provider: string; readonly hinted: string }
  | { readonly kind: "unknown"; readonly hinted: string | null };

/** All rules of a version, looked up by the members that a document has: time does not grow with the number of rules. */
export class RuleSet {
  readonly version: number;
  readonly providers: readonly ProviderRules[];
  readonly rules: readonly CompiledRule[];
  /** Of the data, so that a change without a new version is found. */
  readonly digest: string;
  /** By format and, of flat rules, provider; then by a member of the document. */
  readonly #byMember = new Map<string, Map<string, CompiledRule[]>>();
  readonly #byAlias = new Map<string, ProviderRules>();

  constructor(version: number, providers: readonly ProviderRules[]) {
    this.version = version;
    this.providers = providers;
    this.rules = providers
      .flatMap((each) => each.rules.map((rule) => [rule, each] as const))
      .map(([rule, each], position) => compileRule(rule, each, position));
    this.digest = createHash("sha256").update(JSON.stringify(providers)).digest("hex");
    for (const rule of this.rules) {
      this.#enter(rule);
    }
    for (const each of providers) {
      for (const name of [each.provider, ...(each.aliases ?? [])]) {
        this.#byAlias.set(letters(name), each);
      }
    }
  }

  /** The provider that a hint names, however it is spelt: `Mercado Pago`, `authorize.net`. Undefined for one without rules. */
  provider(hint: string): ProviderRules | undefined {
    return this.#byAlias.get(letters(hint));
  }

  /**
   * The rule for a document, of the hinted provider where there is a hint that is known. Of several the one with most conditions,
   * then the first.
   */
  recognise(node: unknown, format: Format, hint: string | undefined): Recognised {
    const hinted = hint === undefined ? null : (this.provider(hint)?.provider ?? null);
    const matching = this.#matching(node, format, null);
    const best =
      hinted === null
        ? matching.find(({ rule }) => hint === undefined || rule.common !== true)
        : matching.find(({ provider }) => provider === hinted);
    if (best !== undefined) {
      return { kind: "rule", rule: best };
    }
    if (hinted === null) {
      return { kind: "unknown", hinted };
    }
    const [other] = matching;
    if (other !== undefined) {
      return { kind: "contradiction", provider: other.provider, hinted };
    }
    // A shape that is anybody's: the hint alone says whose.
    const [flat] = this.#matching(node, format, hinted);
    return flat === undefined ? { kind: "unknown", hinted } : { kind: "rule", rule: flat };
  }

  #enter(compiled: CompiledRule): void {
    const { rule, provider, when } = compiled;
    const format = rule.format ?? "json";
    for (const each of format === "any" ? FORMATS : [format]) {
      const members = this.#members(each, rule.hinted === true ? provider : null);
      for (const path of when[0]?.at ?? []) {
        const member = path.steps[0]?.name ?? "";
        members.set(member, [...(members.get(member) ?? []), compiled]);
      }
    }
  }

  #members(format: Format, provider: string | null): Map<string, CompiledRule[]> {
    const key = provider === null ? format : `${format} ${provider}`;
    const members = this.#byMember.get(key) ?? new Map<string, CompiledRule[]>();
    this.#byMember.set(key, members);
    return members;
  }

  /** Rules of one provider alone where one is given: those for flat shapes. The one with most conditions first, those for flat records last. */
  #matching(node: unknown, format: Format, provider: string | null): CompiledRule[] {
    if (typeof node !== "object" || node === null) {
      return [];
    }
    const scope: Scope = { root: { node, pointer: "" }, levels: [] };
    const members = this.#members(format, provider);
    const found: CompiledRule[] = [];
    for (const member of Object.keys(node)) {
      for (const candidate of members.get(member) ?? []) {
        if (!found.includes(candidate) && matches(candidate, scope) && isOfForm(candidate, node)) {
          found.push(candidate);
        }
      }
    }
    return found.sort(
      (a, b) =>
        Number(a.rule.flat === true) - Number(b.rule.flat === true) ||
        b.when.length - a.when.length ||
        a.position - b.position,
    );
  }
}

function matches({ when }: CompiledRule, scope: Scope): boolean {
  return when.every(({ at, is, absent }) => at.some((path) => holds(path, is, scope)) !== absent);
}

/** What may be an object though the rest is flat. */
const NESTED = ["merchant", "customer", "metadata"];

function isOfForm({ rule }: CompiledRule, node: object): boolean {
  return (
    rule.flat !== true ||
    Object.entries(node).every(
      ([name, value]) => NESTED.includes(name) || value === null || typeof numberText(value) !== "object",
    )
  );
}

function holds(path: CompiledPath, is: CompiledCondition["is"], scope: Scope): boolean {
  if (is === undefined) {
    const node = locate(path, scope)?.node;
    return node !== undefined && node !== null;
  }
  const text = find(path, scope)?.text;
  return text !== undefined && is.get(text) === true;
}

function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
