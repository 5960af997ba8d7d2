// nspin unpin: the end of the one mount that a launch can leave on the host.
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { Refusal } from "../errors.ts";
import { unpin as unmount } from "../launch.ts";
import { RESOLV_CONF, unpinPlan } from "../plan.ts";
import { type Command, readOptions } from "./command.ts";

const args = {
  file: { type: "positional", required: false, default: RESOLV_CONF, description: "the file it is on" },
} as const satisfies ArgsDef;

export const unpin: Command = {
  meta: { name: "unpin", description: "Take away the mount that method pin left: nspin unpin [FILE]" },
  args,
  action(words) {
    const { rest } = readOptions(args, v.object({}), words);
    const [file = args.file.default, ...more] = rest;
    if (more.length > 0 || !file.startsWith("/")) {
      throw new Refusal("unpin takes one absolute path", "usage: nspin unpin [FILE]");
    }
    unmount(unpinPlan(file));
    return 0;
  },
};
