// nspin unpin: the end of the one mount that a launch can leave on the host.
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { Refusal } from "../errors.ts";
import { unpin as unmount } from "../launch.ts";
import { RESOLV_CONF, unpinPlan } from "../plan.ts";
import { type Command, DONE, flag, readOptions, usageOf } from "./command.ts";

const args = {
  force: {
    type: "boolean",
    description: "also where a running program relies on it: it reads the host's file once that is replaced",
  },
  file: { type: "positional", required: false, default: RESOLV_CONF, description: "the file it is on" },
} as const satisfies ArgsDef;

const Options = v.object({ force: flag("force") });

export const unpin: Command = {
  meta: {
    name: "unpin",
    description: "Take away the mount that method pin left on FILE, /etc/resolv.conf",
  },
  usage: "[OPTIONS] [FILE]",
  examples: ["nspin unpin", "nspin unpin /etc/hosts"],
  statuses: DONE,
  args,
  action(words) {
    const { options, rest } = readOptions(args, Options, words);
    const [file = args.file.default, ...more] = rest;
    if (more.length > 0 || !file.startsWith("/")) {
      throw new Refusal("unpin takes one absolute path", usageOf(unpin));
    }
    unmount(unpinPlan(file, options.force));
    return 0;
  },
};
