import { z } from "zod";
import { asOf, written } from "./common.js";

export const role = z.enum(["viewer", "operator"]);
export type Role = z.output<typeof role>;

/** GET /console/api/me; also what POST and DELETE /console/api/session answer. */
export const me = z.object({
  role: role.nullable().meta({ description: "null: nobody has signed in; ask for the password." }),
  name: z.string().nullable().meta({ description: "As the audit's rows have it." }),
  password: z.boolean().meta({ description: "Whether this server wants a password." }),
  version: z.string().meta({ description: "Of the platform." }),
  ...asOf,
});
export type Me = z.output<typeof me>;

/** POST /console/api/session. @see me */
export const signIn = z.strictObject({
  password: z.string().min(1).max(1_000),
  name: written(100).trim().min(1).optional().meta({ description: "Who it is, for the audit." }),
});
export type SignIn = z.input<typeof signIn>;
