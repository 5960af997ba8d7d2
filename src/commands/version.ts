// nspin version.
import * as v from "valibot";
import { version as number } from "../../package.json";
import { quote, Refusal, tryHelp } from "../errors.ts";
import { print } from "../print.ts";
import { type Command, DONE, readOptions } from "./command.ts";

export const version: Command = {
  meta: { name: "version", description: "Print the version" },
  usage: "",
  examples: ["nspin version"],
  statuses: DONE,
  args: {},
  action(words) {
    const { rest } = readOptions({}, v.object({}), words);
    if (rest[0] !== undefined) throw new Refusal(`version takes no argument ${quote(rest[0])}`, tryHelp);
    print(`nspin ${number} (Bun ${Bun.version}, ${process.platform}-${process.arch})`);
    return 0;
  },
};
