import type { ServicesOptions } from "../options.js";
import type { Trial } from "../rig.js";

export function servicesTrial(_: ServicesOptions): Trial {
  throw new Error("not yet");
}
