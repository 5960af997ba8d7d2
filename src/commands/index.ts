// Everything but a plain launch, which must not pay for it: the other commands, help and version,
// and the explanation of a plan or an error.
import { isHelp, readWords } from "../arguments.ts";
import { STATUSES } from "../contract.ts";
import { report } from "../report.ts";
import { type Commands, findCommand, refuseArgument } from "./command.ts";

export { decide } from "../decide.ts";
export { explain } from "../explain.ts";
export { readRunByProfile } from "./run.ts";
export { wait } from "./wait.ts";

export const commands: Commands = {
  run: async () => (await import("./run.ts")).run,
  bake: async () => (await import("./bake.ts")).bake,
  inspect: async () => (await import("./inspect.ts")).inspect,
  doctor: async () => (await import("./doctor.ts")).doctor,
  examine: async () => (await import("./examine.ts")).examine,
  probe: async () => (await import("./probe.ts")).probe,
  bundle: async () => (await import("./bundle/index.ts")).bundle,
  ps: async () => (await import("./ps.ts")).ps,
  check: async () => (await import("./check.ts")).check,
  enter: async () => (await import("./enter.ts")).enter,
  refresh: async () => (await import("./refresh.ts")).refresh,
  selftest: async () => (await import("./selftest/index.ts")).selftest,
  inside: async () => (await import("./inside.ts")).inside,
  keep: async () => (await import("./keep.ts")).keep,
  unpin: async () => (await import("./unpin.ts")).unpin,
  help: async () => (await import("./help.ts")).help(commands),
  version: async () => (await import("./version.ts")).version,
  unpinned: async () => (await import("./unpinned.ts")).unpinned,
};

/** Commands by the options that most programs have for them. */
const OPTIONS = new Map([
  ["--help", "help"],
  ["-h", "help"],
  ["--version", "version"],
  ["-V", "version"],
]);

/** Returns the exit status. Throws Refusal. */
export async function runCommand(name: string | undefined, words: readonly string[]): Promise<number> {
  if (name === undefined) {
    await (await import("./help.ts")).printOverview(commands);
    return STATUSES.CANNOT;
  }
  const meant = OPTIONS.get(name);
  if (meant !== undefined) return await runAlone(name, words, meant);
  const command = await findCommand(commands, name);
  // Not citty's runCommand(), whose own reader would take the words first: it is not exact.
  return await (isHelp(words[0]) ? runCommand("help", [name]) : command.action(words));
}

async function runAlone(option: string, more: readonly string[], name: string) {
  refuseArgument(`option ${option}`, more.slice(readWords({}, more).used));
  return await (await findCommand(commands, name)).action([]);
}

/** Of a command that has thrown: the exit status. */
export async function end(error: unknown, name?: string): Promise<number> {
  try {
    const isAsked = error instanceof Error && error.name === "HelpAsked" && name !== undefined;
    return isAsked ? await runCommand("help", [name]) : report(error);
  } catch (failed) {
    return report(failed);
  }
}
