import { codeOf } from "../../../lib/errors.js";
import { defineRoute } from "../../../lib/http/route.js";
import { packageVersion } from "../../../lib/root.js";
import type { Access, Person } from "../access.js";
import { type Me, me, signIn } from "../contracts/session.js";
import type { Resources } from "./resources.js";
import { FRESH, OWN } from "./route.js";

const meOf = (access: Access, person: Person | undefined): Me => ({
  role: person?.role ?? null,
  name: person?.name ?? null,
  password: access.wantsPassword,
  version: packageVersion(),
  as_of: new Date().toISOString(),
});

export const getMe = ({ access }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "GET", path: "/console/api/me", summary: "Who is signed in", answers: { 200: me } },
    handle: async ({ raw }) => ({
      status: 200,
      body: meOf(access, access.personOf(raw.headers)),
      headers: FRESH,
    }),
  });

export const postSession = ({ access, logger }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "POST", path: "/console/api/session", summary: "Sign in" },
    request: { body: signIn },
    answers: { 200: me },
    handle: async ({ body, raw, traceId }) => {
      const who = { trace_id: traceId, address: raw.ip, who: body.name };
      try {
        const [person, cookie] = access.signIn(body, raw.headers, raw.ip);
        logger.info({ ...who, role: person.role }, "signed in to the console");
        return { status: 200, body: meOf(access, person), headers: { ...FRESH, "set-cookie": cookie } };
      } catch (error) {
        logger.warn({ ...who, code: codeOf(error) }, "sign-in to the console refused");
        throw error;
      }
    },
  });

export const deleteSession = ({ access }: Resources) =>
  defineRoute({
    ...OWN,
    ...{ method: "DELETE", path: "/console/api/session", summary: "Sign out", answers: { 200: me } },
    handle: async ({ raw }) => {
      const headers = { ...FRESH, "set-cookie": access.signOut(raw.headers) };
      const person = access.wantsPassword ? undefined : access.personOf(raw.headers);
      return { status: 200, body: meOf(access, person), headers };
    },
  });
