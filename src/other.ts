// Everything but the launch, which must not pay for it: help, version, the other
// commands, and what tells of a plan or an error.
import { type CommandDef, renderUsage, runCommand } from "citty";
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

let status = 0;

const run: CommandDef = {
  meta: { name: "run", description: "Start a program: nspin run --netns ID [OPTIONS] [--] PROGRAM [ARG...]" },
  args: runArgs,
  run: ({ rawArgs }) => void readRun(rawArgs), // main.ts takes it before it comes here
};

const bundle: CommandDef = {
  meta: {
    name: "bundle",
    description:
      "Write an OCI bundle, by which runc or crun starts a program: nspin bundle DIR --netns ID [OPTIONS] [--] PROGRAM [ARG...]",
  },
  args: bundleArgs,
  async run({ rawArgs }) {
    const { bundle } = await import("./bundle.ts");
    bundle(readBundle(rawArgs));
  },
};

const bake: CommandDef = {
  meta: {
    name: "bake",
    description:
      "Write a launcher, a small program for one plan: nspin bake --netns ID [OPTIONS] -o FILE [--] [PROGRAM [ARG...]]",
  },
  args: bakeArgs,
  async run({ rawArgs }) {
    const { bake } = await import("./bake.ts");
    bake(readBake(rawArgs));
  },
};

const inspectArgs = { json: { type: "boolean", description: "print JSON" } } as const;
const inspect: CommandDef = {
  meta: { name: "inspect", description: "Print the plan in a launcher: nspin inspect [--json] FILE" },
  args: inspectArgs,
  async run({ rawArgs }) {
    const { values, used } = readWords(inspectArgs, rawArgs);
    const [file, ...more] = rawArgs.slice(used);
    if (file === undefined || more.length > 0) {
      throw new Refusal("inspect takes one FILE", "usage: nspin inspect [--json] FILE");
    }
    const { inspect } = await import("./bake.ts");
    inspect(file, one(values, "json") === "true");
  },
};

const selftest: CommandDef = {
  meta: {
    name: "selftest",
    description: "Prove on this host that no launch goes wrong, or show the bug that does",
  },
  args: selftestArgs,
  async run({ rawArgs }) {
    const { selftest } = await import("./selftest.ts");
    status = await selftest(readSelftest(rawArgs));
  },
};

const unpinArgs = {
  force: {
    type: "boolean",
    description: "also where a running program relies on it: it reads the host's file once that is replaced",
  },
} as const;
const unpin: CommandDef = {
  meta: {
    name: "unpin",
    description: "Take away the mount that method pin left: nspin unpin [--force] [FILE]",
  },
  args: unpinArgs,
  async run({ rawArgs }) {
    const { values, used } = readWords(unpinArgs, rawArgs);
    const [file = RESOLV_CONF, ...more] = rawArgs.slice(used);
    if (more.length > 0 || !file.startsWith("/")) {
      throw new Refusal("unpin takes one absolute path", "usage: nspin unpin [--force] [FILE]");
    }
    const { unpin } = await import("./launch.ts");
    unpin(unpinPlan(file, one(values, "force") === "true"));
  },
};

/** One run of `selftest --unpinned`, in a process of its own; not for users. */
const unpinned: CommandDef = {
  meta: { name: "unpinned", hidden: true },
  async run({ rawArgs: [hello, world, copy] }) {
    const { runUnpinned } = await import("./unpinned.ts");
    await runUnpinned(hello as string, world as string, copy as string);
  },
};

const subCommands: Record<string, CommandDef> = { run, bake, inspect, bundle, selftest, unpin, unpinned };
const nspin: CommandDef = { meta: { name: "nspin", description, version }, subCommands };

/** Runs the command; returns the exit status. Throws Refusal. */
export async function runOther(name: string | undefined, words: readonly string[]): Promise<number> {
  const command = Object.hasOwn(subCommands, name ?? "") ? subCommands[name as string] : undefined;
  const asked = command === undefined ? name : words[0];
  if (asked === "--help" || asked === "-h") {
    const usage = command === undefined ? await renderUsage(nspin) : await renderUsage(command, nspin);
    console.log(process.stdout.isTTY ? usage : Bun.stripANSI(usage));
    return 0;
  }
  if (name === "--version" || name === "-V") {
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
  await runCommand(command, { rawArgs: [...words] });
  return status;
}
