// nspin version.
import * as v from "valibot";
import { version as number } from "../../package.json";
import { print } from "../print.ts";
import { type Command, DONE, readOptions, refuseArgument } from "./command.ts";

export const version: Command = {
  meta: { name: "version", description: "Print the version" },
  usage: "",
  examples: ["nspin version"],
  statuses: DONE,
  args: {},
  action(words) {
    const { rest } = readOptions({}, v.object({}), words);
    refuseArgument("version", rest);
    print(`nspin ${number} (Bun ${Bun.version}, ${process.platform}-${process.arch})`);
    return 0;
  },
};
