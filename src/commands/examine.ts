// nspin examine: the checks of doctor, in a process that may hang; not for users.
import { readFileSync } from "node:fs";
import { examineAll } from "../doctor/examine.ts";
import { Refusal } from "../errors.ts";
import { type Command, DONE } from "./command.ts";

export const examine: Command = {
  meta: { name: "examine", hidden: true },
  usage: "",
  examples: [],
  statuses: DONE,
  args: {},
  async action(words) {
    if (words.length > 0) throw new Refusal("examine takes no argument", "it is a part of 'nspin doctor'");
    await examineAll(JSON.parse(readFileSync(0, "utf8")));
    return 0;
  },
};
