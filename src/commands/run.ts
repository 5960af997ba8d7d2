// nspin run, for its help: main.ts takes the command itself.
import { readRun, runArgs } from "../arguments.ts";
import type { Command } from "./command.ts";

export const run: Command = {
  meta: { name: "run", description: "Start a program: nspin run --netns ID [OPTIONS] [--] PROGRAM [ARG...]" },
  args: runArgs,
  action(words) {
    readRun(words);
    throw new Error("main.ts starts programs");
  },
};
