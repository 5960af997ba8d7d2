// nspin bake: a plan into a launcher's file.
import type { ArgsDef } from "citty";
import * as v from "valibot";
import {
  type CoverOptions,
  type RunOptions,
  readAs,
  readCovers,
  readExtras,
  readProgram,
  runArgs,
} from "../arguments.ts";
import { commandLine, wordsOfRuntime } from "../command-line.ts";
import { quote, Refusal, tryHelp } from "../errors.ts";
import { ARCHES, type Arch, writeLauncher } from "../launcher-file.ts";
import { makePlan, type Plan } from "../plan.ts";
import { replaceFile } from "../replace-file.ts";
import { type Command, choice, DONE, flag, ofRun, once, readOptions, usageOf } from "./command.ts";
import { readProfile } from "./profile.ts";

export const bakeArgs = {
  netns: { ...runArgs.netns, description: "network namespace: a name under /run/netns, or an absolute path" },
  "netns-arg": {
    type: "boolean",
    description: "the launcher's first argument names the network namespace, as run --netns does",
  },
  ...ofRun("bind", "etc"),
  user: {
    ...runArgs.user,
    valueHint: "NAME:GROUP|UID:GID",
    description:
      "start the program as this user and group, with that one's groups and no capability, by setpriv(1)",
  },
  ...ofRun("caps", "sys", "own-dns", "method", "keep", "strict", "read-only"),
  output: { type: "string", alias: "o", valueHint: "FILE", description: "the launcher to write" },
  arch: {
    type: "enum",
    options: ARCHES,
    default: process.arch,
    description: "the machine that it shall run on; by default, as this one",
  },
} as const satisfies ArgsDef;

const Options = v.object({
  "netns-arg": flag("netns-arg"),
  method: choice("method", bakeArgs.method),
  output: v.optional(once("output"), [""]),
  arch: choice("arch", bakeArgs.arch),
});

interface BakeOptions
  extends CoverOptions,
    Pick<RunOptions, "user" | "extras" | "method" | "words" | "skip"> {
  readonly netnsArgument: boolean;
  readonly output: string;
  readonly arch: Arch;
}

/** Throws Refusal. */
export function readBake(all: readonly string[]): BakeOptions {
  const profile = all[0]?.startsWith("@") ? readProfile(all[0], bakeArgs, runArgs) : undefined;
  const words = profile === undefined ? all : all.slice(1);
  const { options: read, values, rest, used } = readOptions(bakeArgs, Options, words, profile);
  const { "netns-arg": netnsArgument, ...options } = read;
  if (options.output === "") {
    throw new Refusal("no launcher is named", usageOf(bake));
  }
  const covers = { ...readCovers(values), ...readAs(values), extras: readExtras(values) };
  if (covers.user !== undefined && covers.user.group === undefined) {
    throw new Refusal(
      `option --user needs a group in a launcher: ${covers.user.name}:GROUP`,
      "where it will be started is not known here",
    );
  }
  const relative = covers.bind.find(({ source }) => !source.startsWith("/"));
  if (relative !== undefined) {
    throw new Refusal(
      `option --bind needs an absolute SRC in a launcher, not ${quote(relative.source)}`,
      "where it will be started is not known here",
    );
  }
  if (netnsArgument && covers.netns !== undefined) {
    throw new Refusal("options --netns and --netns-arg exclude each other", tryHelp);
  }
  if (covers.netns?.startsWith("pid:")) {
    throw new Refusal(
      `cannot bake network namespace ${quote(covers.netns)}: another process will have that id`,
      tryHelp,
    );
  }
  return Object.freeze({ ...covers, ...options, netnsArgument, ...readProgram(rest, used, profile) });
}

function netnsArgumentOf({ netnsArgument, etc }: BakeOptions): Pick<Plan, "netnsArgument"> {
  if (!netnsArgument) return {};
  return { netnsArgument: etc ? "etc" : "netns" };
}

export const bake: Command = {
  meta: {
    name: "bake",
    description: "Write a launcher: a small static program that does what one nspin run would",
  },
  usage: "@PROFILE|--netns ID|--netns-arg [OPTIONS] -o FILE [--] [PROGRAM [ARG...]]",
  examples: ["nspin bake --netns task1 -o /usr/local/bin/soci-task1 -- soci-snapshotter-grpc"],
  statuses: DONE,
  args: bakeArgs,
  action(words) {
    const options = readBake(words);
    const ours = options.netnsArgument ? 2 : 1; // of the launcher's own command line
    const plan = makePlan({ ...options, enter: "setns", skip: ours, program: [] });
    const program = [...plan.words, ...commandLine().slice(wordsOfRuntime() + options.skip)];
    const launcher = writeLauncher({ ...plan, ...netnsArgumentOf(options), words: program }, options.arch);
    replaceFile(options.output, launcher, 0o755);
    return 0;
  },
};
