// Everything but a plain launch, which must not pay for it: the other commands, help and version,
// and the explanation of a plan or an error.
import { type CommandDef, renderUsage } from "citty";
import { description, version } from "../../package.json";
import { quote, readWords, tryHelp } from "../arguments.ts";
import { Refusal } from "../errors.ts";
import { print } from "../print.ts";
import type { Command } from "./command.ts";

export { decide } from "../decide.ts";
export { explain } from "../explain.ts";
export { report } from "../report.ts";

/** Loaded one by one, when asked for. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).run,
  bake: async () => (await import("./bake.ts")).bake,
  inspect: async () => (await import("./inspect.ts")).inspect,
  bundle: async () => (await import("./bundle/index.ts")).bundle,
  selftest: async () => (await import("./selftest/index.ts")).selftest,
  unpin: async () => (await import("./unpin.ts")).unpin,
  unpinned: async () => (await import("./unpinned.ts")).unpinned,
};

const nspin: CommandDef = { meta: { name: "nspin", description, version }, subCommands: commands };

/** Returns the exit status. Throws Refusal. */
export async function runCommand(name: string | undefined, words: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name ?? "") ? await commands[name as string]?.() : undefined;
  const option = command === undefined ? name : words[0];
  if (option === "--help" || option === "-h") {
    refuseMore(option, command === undefined ? words : words.slice(1));
    const usage = command === undefined ? await renderUsage(nspin) : await renderUsage(command, nspin);
    print((await hasColour()) ? usage : Bun.stripANSI(usage));
    return 0;
  }
  if (name === "--version" || name === "-V") {
    refuseMore(name, words);
    print(`nspin ${version} (Bun ${Bun.version}, ${process.platform}-${process.arch})`);
    return 0;
  }
  if (command === undefined) {
    const what =
      name === undefined
        ? "no command given"
        : `unknown ${name.startsWith("-") ? "option" : "command"} ${quote(name)}`;
    throw new Refusal(what, tryHelp);
  }
  // Not citty's runCommand(), whose own reader would take the words first: it is not exact.
  return await command.action(words);
}

/** Only a terminal that says what it is; see no-color.org. */
async function hasColour(): Promise<boolean> {
  const { TERM = "dumb", NO_COLOR = "" } = process.env;
  if (TERM === "dumb" || TERM === "" || NO_COLOR !== "") return false;
  const { isatty } = await import("node:tty"); // process.stdout.isTTY changes the descriptor's flags
  return isatty(1);
}

function refuseMore(option: string, words: readonly string[]): void {
  const extra = words[readWords({}, words).used];
  if (extra !== undefined) throw new Refusal(`option ${option} takes no argument ${quote(extra)}`, tryHelp);
}
