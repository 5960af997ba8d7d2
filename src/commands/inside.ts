// nspin inside: what ps and check ask about programs, in a process that may hang; not for users.
import { readFileSync } from "node:fs";
import { Refusal } from "../errors.ts";
import { answerAll } from "../observe/inside.ts";
import { type Command, DONE } from "./command.ts";

export const inside: Command = {
  meta: { name: "inside", hidden: true },
  usage: "",
  examples: [],
  statuses: DONE,
  args: {},
  action(words) {
    if (words.length > 0) throw new Refusal("inside takes no argument", "it is a part of 'nspin ps'");
    answerAll(JSON.parse(readFileSync(0, "utf8")));
    return 0;
  },
};
