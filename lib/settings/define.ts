import { z } from "zod";

/** Kinds of settings, for the declarations of lib and of modules. */
export const text = z.string().min(1);
export const port = z.coerce.number().int().min(1).max(65_535);
export const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
export const rate = z.coerce.number().min(0).max(1);
export const day = z.iso.date();
/** A setting whose value never reaches a log, an error or `.env.example`, and which may come from `NAME_FILE`. */
export const secret = z.string().default("").meta({ secret: true });

/** A file or folder; path.ts says how it may be written. It comes out absolute. */
export const path = (byDefault: string) => z.string().default(byDefault).meta({ path: true });

/** What lib or a module reads. Every setting has a default and a description; `.env.example` is made of them. */
export interface SettingsDeclaration<T extends object = object> {
  readonly schema: z.ZodType<T> & { readonly shape: Readonly<Record<string, z.ZodType>> };
  /** Ours alone: an unknown name that begins with one of them is a typing error, wherever it was set. */
  readonly prefixes: readonly string[];
}

export function settingNames(declarations: readonly SettingsDeclaration[]): string[] {
  return declarations.flatMap(({ schema }) => Object.keys(schema.shape));
}

export const secretNames = (declarations: readonly SettingsDeclaration[]) => namesOf(declarations, "secret");
export const pathNames = (declarations: readonly SettingsDeclaration[]) => namesOf(declarations, "path");

function namesOf(declarations: readonly SettingsDeclaration[], kind: "secret" | "path"): string[] {
  return declarations.flatMap(({ schema }) =>
    Object.entries(schema.shape)
      .filter(([, setting]) => setting.meta()?.[kind] === true)
      .map(([name]) => name),
  );
}
