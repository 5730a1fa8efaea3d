import type { Queues } from "../answers.js";
import { type Answer, useAnswer } from "./answer.js";
import { overview } from "./live.js";

/** The queues by whichever told of them last: the stream, or a question while it is paused or away. */
export function useQueues(): Answer<Queues> {
  const answer = useAnswer<Queues>("queues");
  const told = overview.value;
  const isNewer = answer.data !== undefined && told !== undefined && told.as_of > answer.data.as_of;
  return isNewer ? { ...answer, data: { items: told.queues, as_of: told.as_of } } : answer;
}
