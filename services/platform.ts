import { defineModule } from "../lib/runtime/module.js";

/** What all services build on in the database; it runs nothing. */
export const platform = defineModule({ name: "platform", schemas: ["ops"], roles: ["payments_app"] });
