// What a command is that is not for users: nspin starts itself by it where something may hang, be killed
// or go wrong.
import { readFileSync } from "node:fs";
import { Refusal } from "../errors.ts";
import { type Command, DONE } from "./command.ts";

export function hidden(name: string, usage: string, action: Command["action"]): Command {
  return { meta: { name, hidden: true }, usage, examples: [], statuses: DONE, args: {}, action };
}

/** One that is asked in JSON, on stdin; whose: the command that asks. */
export function askedOnStdin<Question>(
  name: string,
  whose: string,
  answer: (question: Question) => void | Promise<void>,
): Command {
  return hidden(name, "", async (words) => {
    if (words.length > 0) throw new Refusal(`${name} takes no argument`, `it is a part of 'nspin ${whose}'`);
    await answer(JSON.parse(readFileSync(0, "utf8")));
    return 0;
  });
}
