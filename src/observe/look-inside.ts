// The questions to ./inside.ts, and the time that it has to answer them.
import { askSelf } from "../ask-self.ts";
import type { Answer, Question } from "./inside.ts";

const EACH = 5000; // milliseconds, of which three DNS servers that do not answer take three seconds

/** Of each, in their order: null, it has ended; undefined, it did not answer: a file system hangs. Throws Refusal or Reported. */
export async function lookInside(questions: readonly Question[]): Promise<(Answer | null | undefined)[]> {
  return await askSelf<Answer | null>({
    command: "inside",
    count: questions.length,
    toAsk: (known) => questions.slice(known),
    patience: EACH,
    does: "look at what programs see",
  });
}
