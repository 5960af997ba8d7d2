// nspin enter: a command in all namespaces of a program, to see what that sees.
import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { STATUSES } from "../contract.ts";
import { quote, Refusal, tryHelp } from "../errors.ts";
import { launch } from "../launch.ts";
import { isStill, type Kind, look, namespaceOf, type Process } from "../observe/processes.ts";
import { NO_OPTIONS } from "../plan.ts";
import { type Command, readOptions } from "./command.ts";
import { pidOf, select } from "./programs.ts";

const args = {} as const satisfies ArgsDef;

export const enter: Command = {
  meta: {
    name: "enter",
    description: "Run a command with what a program sees: its namespaces, root and directory",
  },
  usage: "PID|NETNS [--] [PROGRAM [ARG...]]",
  examples: ["nspin enter task1 -- dig example.com", "nspin enter 4711 -- ip address", "nspin enter task1"],
  statuses: {
    [STATUSES.NOT_EXECUTABLE]: "the command was found, and cannot be executed",
    [STATUSES.NOT_FOUND]: "the command was not found",
    other: "the command's own; 1 can also be nsenter's",
  },
  args,
  async action(words) {
    const { rest, used } = readOptions(args, v.object({}), words);
    const [word, dashes] = rest;
    if (word === undefined) throw new Refusal("enter takes PID|NETNS first", tryHelp);
    const target = await find(word);
    if (!existsSync(NSENTER)) throw new Refusal(`cannot find ${NSENTER}`, "install util-linux");
    const entering = [NSENTER, "--target", basename(target.at), ...differing(target), "--root", "--wd", "--"];
    const before = 2 + used + 1; // argv[0], the command, its options; the target
    if (!isStill(target)) throw new Refusal(`process ${target.pid} has just ended`);
    launch({ ...NO_OPTIONS, words: entering, skip: dashes === "--" ? before + 1 : before });
  },
};

const NSENTER = "/usr/bin/nsenter"; // not by PATH, which sudo may leave to the user

/** The process that is named, or the program of the network namespace that is. Throws Refusal. */
async function find(word: string): Promise<Process> {
  const [program, ...more] = await select([word], false);
  if (program === undefined) throw new Error("none is selected");
  if (more.length > 0) {
    const names = [program, ...more].map(({ process }) => `${process.pid} ${process.name}`);
    throw new Refusal(
      `${more.length + 1} programs run in network namespace ${quote(word)}: ${names.join(", ")}`,
      "name one by its process id",
    );
  }
  const pid = pidOf(word);
  const isChild =
    pid !== undefined && pid !== program.process.pid && namespaceOf(pid, "mnt") === program.mounts;
  return (isChild ? look(pid) : undefined) ?? program.process;
}

const FLAGS: Readonly<Record<Kind, string>> = {
  mnt: "--mount",
  net: "--net",
  pid: "--pid",
  user: "--user",
  cgroup: "--cgroup",
  ipc: "--ipc",
  uts: "--uts",
  time: "--time",
};

/** nsenter refuses to enter a user namespace that it is in, and forks for a PID namespace. */
function differing({ pid }: Process): string[] {
  const kinds = Object.keys(FLAGS) as Kind[];
  return kinds
    .filter((kind) => namespaceOf(pid, kind) !== namespaceOf("self", kind))
    .map((kind) => FLAGS[kind]);
}
