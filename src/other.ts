// Everything but the launch, which must not pay for it: help, version, the other
// commands, and what tells of a plan or an error.
import { type ArgsDef, type CommandDef, type CommandMeta, renderUsage } from "citty";
import { description, version } from "../package.json";
import { bakeArgs, readBake } from "./bake-options.ts";
import { bundleArgs, readBundle } from "./bundle-options.ts";
import { one, quote, readRun, readWords, runArgs, tryHelp } from "./cli.ts";
import { Refusal } from "./errors.ts";
import { RESOLV_CONF, unpinPlan } from "./plan.ts";
import { readSelftest, selftestArgs } from "./selftest-options.ts";

export { decide } from "./decide.ts";
export { describe } from "./describe.ts";
export { report } from "./report.ts";

/** citty renders the help; its `run` is not used, as its reader would come first (cli.ts). */
interface Command {
  readonly meta: CommandMeta;
  readonly args: ArgsDef;
  /** Takes the words after the command's name. Returns the exit status. Throws Refusal. */
  readonly action: (words: readonly string[]) => number | Promise<number>;
}

const run: Command = {
  meta: { name: "run", description: "Start a program: nspin run --netns ID [OPTIONS] [--] PROGRAM [ARG...]" },
  args: runArgs,
  action(words) {
    readRun(words);
    throw new Error("main.ts takes run before it comes here");
  },
};

const bundle: Command = {
  meta: {
    name: "bundle",
    description:
      "Write an OCI bundle, by which runc or crun starts a program: nspin bundle DIR --netns ID [OPTIONS] [--] PROGRAM [ARG...]",
  },
  args: bundleArgs,
  async action(words) {
    const options = readBundle(words);
    const { bundle } = await import("./bundle.ts");
    bundle(options);
    return 0;
  },
};

const bake: Command = {
  meta: {
    name: "bake",
    description:
      "Write a launcher, a small program for one plan: nspin bake --netns ID [OPTIONS] -o FILE [--] [PROGRAM [ARG...]]",
  },
  args: bakeArgs,
  async action(words) {
    const options = readBake(words);
    const { bake } = await import("./bake.ts");
    bake(options);
    return 0;
  },
};

const inspectArgs = { json: { type: "boolean", description: "print JSON" } } as const;
const inspect: Command = {
  meta: { name: "inspect", description: "Print the plan in a launcher: nspin inspect [--json] FILE" },
  args: inspectArgs,
  async action(words) {
    const { values, used } = readWords(inspectArgs, words);
    const isJson = one(values, "json") === "true";
    const [file, ...more] = words.slice(used);
    if (file === undefined || more.length > 0) {
      throw new Refusal("inspect takes one FILE", "usage: nspin inspect [--json] FILE");
    }
    const { inspect } = await import("./bake.ts");
    inspect(file, isJson);
    return 0;
  },
};

const selftest: Command = {
  meta: {
    name: "selftest",
    description: "Prove on this host that no launch goes wrong, or show the bug that does",
  },
  args: selftestArgs,
  async action(words) {
    const options = readSelftest(words);
    const { selftest } = await import("./selftest.ts");
    return await selftest(options);
  },
};

const unpinArgs = {
  file: { type: "positional", required: false, default: RESOLV_CONF, description: "the file it is on" },
} as const;
const unpin: Command = {
  meta: { name: "unpin", description: "Take away the mount that method pin left: nspin unpin [FILE]" },
  args: unpinArgs,
  async action(words) {
    const { used } = readWords(unpinArgs, words);
    const [file = RESOLV_CONF, ...more] = words.slice(used);
    if (more.length > 0 || !file.startsWith("/")) {
      throw new Refusal("unpin takes one absolute path", "usage: nspin unpin [FILE]");
    }
    const { unpin } = await import("./launch.ts");
    unpin(unpinPlan(file));
    return 0;
  },
};

/** One run of `selftest --unpinned`, in a process of its own; not for users. */
const unpinned: Command = {
  meta: { name: "unpinned", hidden: true },
  args: {},
  async action(words) {
    const [hello, world, copy, ...more] = words;
    if (hello === undefined || world === undefined || copy === undefined || more.length > 0) {
      throw new Refusal("unpinned takes HELLO WORLD COPY", "it is a part of 'nspin selftest --unpinned'");
    }
    const { runUnpinned } = await import("./unpinned.ts");
    await runUnpinned(hello, world, copy);
    return 0;
  },
};

export const commands: Record<string, Command> = { run, bake, inspect, bundle, selftest, unpin, unpinned };
const nspin: CommandDef = { meta: { name: "nspin", description, version }, subCommands: commands };

/** Runs the command; returns the exit status. Throws Refusal. */
export async function runOther(name: string | undefined, words: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name ?? "") ? commands[name as string] : undefined;
  const asked = command === undefined ? name : words[0];
  if (asked === "--help" || asked === "-h") {
    standsAlone(asked, command === undefined ? words : words.slice(1));
    const usage = command === undefined ? await renderUsage(nspin) : await renderUsage(command, nspin);
    console.log(process.stdout.isTTY ? usage : Bun.stripANSI(usage));
    return 0;
  }
  if (name === "--version" || name === "-V") {
    standsAlone(name, words);
    console.log(`nspin ${version} (Bun ${Bun.version}, ${process.platform}-${process.arch})`);
    return 0;
  }
  if (command === undefined) {
    const what =
      name === undefined
        ? "no command given"
        : `unknown ${name.startsWith("-") ? "option" : "command"} ${quote(name)}`;
    throw new Refusal(what, tryHelp);
  }
  return await command.action(words);
}

/** Throws Refusal where anything follows it. */
function standsAlone(option: string, words: readonly string[]): void {
  const extra = words[readWords({}, words).used];
  if (extra !== undefined) throw new Refusal(`option ${option} takes no argument ${quote(extra)}`, tryHelp);
}
