import { z } from "zod";
import { METHODS, STATUS_CATEGORIES } from "../domain/normalised.js";
import type { Result } from "../intake.js";

/** What became of an event. */
export const takenEvent = z.object({
  id: z.uuid(),
  status: z.enum(STATUS_CATEGORIES),
  normalization_method: z.enum(METHODS),
  confidence_score: z.number().min(0).max(1),
  message: z.string(),
  repeat: z
    .boolean()
    .meta({ description: "It had come before: the id is that of the first, and nothing was changed." }),
});

/** What became of a body: of one event, or of each of several. */
export const takenBody = z.union([takenEvent, z.object({ events: z.array(takenEvent) })]);

export function takenAnswer(results: readonly Result[]): z.output<typeof takenBody> {
  const [only, ...more] = results.map(takenEventOf);
  return only !== undefined && more.length === 0 ? only : { events: results.map(takenEventOf) };
}

const takenEventOf = (result: Result): z.output<typeof takenEvent> => ({
  id: result.id,
  status: result.status,
  normalization_method: result.method,
  // A column of type real has it: 0.9 comes back as it went in.
  confidence_score: result.confidence,
  message: messageOf(result),
  repeat: result.repeat,
});

function messageOf({ rule, code, detail, repeat }: Result): string {
  const what =
    code === null ? `Understood by ${rule ?? "a model"}.` : `Stored, not understood: ${code}, ${detail}.`;
  return repeat ? `It had come before. ${what}` : what;
}
