// nspin selftest.
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { type Command, flag, once, readOptions, refuseArgument, whole } from "../command.ts";
import { demonstrate, type SelftestOptions } from "./demonstration.ts";

const args = {
  count: { type: "string", valueHint: "N", default: "1000", description: "how many runs" },
  jobs: {
    type: "string",
    valueHint: "N",
    description: "how many at a time; by default twice the number of processors",
  },
  "work-dir": {
    type: "string",
    valueHint: "DIR",
    default: "/tmp",
    description: "where to make the directory of the test's files",
  },
  unpinned: {
    type: "boolean",
    description: "show the bug instead: the same steps, each on whichever thread is free",
  },
} as const satisfies ArgsDef;

const Options = v.object({
  count: v.optional(whole("count", 1), [args.count.default]),
  jobs: v.optional(whole("jobs", 1)),
  "work-dir": v.optional(v.pipe(once("work-dir"), v.nonEmpty("option --work-dir needs a directory")), [
    args["work-dir"].default,
  ]),
  unpinned: flag("unpinned"),
});

/** Throws Refusal. */
export function readSelftest(words: readonly string[]): SelftestOptions {
  const { options, rest } = readOptions(args, Options, words);
  refuseArgument("selftest", rest);
  const { "work-dir": workDir, ...more } = options;
  return Object.freeze({ ...more, workDir });
}

export const selftest: Command = {
  meta: {
    name: "selftest",
    description: "Prove on this host that no launch goes wrong, or show the bug that does",
  },
  usage: "[OPTIONS]",
  examples: ["nspin selftest", "nspin selftest --unpinned --count 100"],
  statuses: { 0: "no run went wrong", 1: "a run went wrong" },
  args,
  action: (words) => demonstrate(readSelftest(words)),
};
