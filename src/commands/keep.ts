// nspin keep: starts a keeper for `nspin refresh`, in a process that may hang; not for users.
import { readFileSync } from "node:fs";
import { Refusal } from "../errors.ts";
import { keep as start } from "../observe/keep.ts";
import { type Command, DONE } from "./command.ts";

export const keep: Command = {
  meta: { name: "keep", hidden: true },
  usage: "",
  examples: [],
  statuses: DONE,
  args: {},
  action(words) {
    if (words.length > 0) throw new Refusal("keep takes no argument", "it is a part of 'nspin refresh'");
    start(JSON.parse(readFileSync(0, "utf8")));
    return 0;
  },
};
