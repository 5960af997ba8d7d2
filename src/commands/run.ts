// nspin run, for its help, and by a profile: main.ts takes the command itself.
import { type RunOptions, readRun, runArgs, runUsage } from "../arguments.ts";
import { STATUSES } from "../contract.ts";
import { bakeArgs } from "./bake.ts";
import type { Command } from "./command.ts";
import { readProfile } from "./profile.ts";

/** The words after "run": a profile's name, and what takes the place of what is in it. Throws Refusal. */
export function readRunByProfile([name = "", ...words]: readonly string[]): RunOptions {
  // Where a launcher goes, and for which machine, is nothing to a program that starts now.
  return readRun(words, readProfile(name, runArgs, bakeArgs, ["output", "arch"]));
}

export const run: Command = {
  meta: { name: "run", description: "Start a program in a network namespace, with its own files in /etc" },
  usage: runUsage,
  examples: [
    "nspin run --netns task1 -- soci-snapshotter-grpc",
    "nspin run --netns task1 --dry-run -- true",
    "nspin run @task1",
    "nspin run --netns pid:4711 --bind /run/task/resolv.conf:/etc/resolv.conf -- sh",
  ],
  statuses: {
    [STATUSES.NOT_IN_TIME]: "what --wait=DURATION waits for did not come in time: nothing was started",
    [STATUSES.NOT_EXECUTABLE]: "the program was found, and cannot be executed",
    [STATUSES.NOT_FOUND]: "the program was not found",
    other: "the program's own; 1 can also be nsenter's",
  },
  args: runArgs,
  action(words) {
    readRun(words);
    throw new Error("main.ts starts programs");
  },
};
