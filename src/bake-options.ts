// The words after "bake". Apart from cli.ts, so that a launch does not load it.
import type { ArgsDef } from "citty";
import {
  choose,
  type Method,
  one,
  quote,
  type RunOptions,
  readCovers,
  readWords,
  runArgs,
  tryHelp,
} from "./cli.ts";
import { Refusal } from "./errors.ts";

const { netns, bind, etc, method, "read-only": readOnly } = runArgs;

export const bakeArgs = {
  netns: { ...netns, description: "network namespace: a name under /run/netns, or an absolute path" },
  bind,
  etc,
  method,
  "read-only": readOnly,
  output: { type: "string", alias: "o", valueHint: "FILE", description: "the launcher to write" },
  arch: {
    type: "enum",
    options: ["x64", "arm64"],
    default: process.arch,
    description: "the machine that it shall run on",
  },
} as const satisfies ArgsDef;

export type Arch = (typeof bakeArgs.arch.options)[number];

export interface BakeOptions extends Pick<RunOptions, "netns" | "bind" | "etc" | "readOnly"> {
  readonly method: Method;
  readonly output: string;
  readonly arch: Arch;
  /** The words of nspin's own command line before the program. */
  readonly skip: number;
}

/** The words after "bake". Throws Refusal. */
export function readBake(words: readonly string[]): BakeOptions {
  const { values, used } = readWords(bakeArgs, words);
  const output = one(values, "output");
  if (output === undefined || output === "") {
    throw new Refusal(
      "no launcher is named",
      "usage: nspin bake --netns ID [OPTIONS] -o FILE [--] [PROGRAM [ARG...]]",
    );
  }
  const argv0AndCommand = 2;
  const options: BakeOptions = {
    ...readCovers(values),
    method: choose(values, "method", bakeArgs.method),
    output,
    arch: choose(values, "arch", bakeArgs.arch),
    skip: argv0AndCommand + used,
  };
  const relative = options.bind.find(({ source }) => !source.startsWith("/"));
  if (relative !== undefined) {
    throw new Refusal(
      `option --bind needs an absolute SRC in a launcher, not ${quote(relative.source)}`,
      "where it will be started is not known here",
    );
  }
  if (options.netns?.startsWith("pid:")) {
    throw new Refusal(
      `cannot bake network namespace ${quote(options.netns)}: another process will have that id`,
      tryHelp,
    );
  }
  return Object.freeze(options);
}
