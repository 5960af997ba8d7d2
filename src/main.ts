// argv -> Options -> Plan -> one FFI call -> we are the program.
import COMMANDS from "#bundles/commands.js" with { type: "file" };
import { type RunOptions, readRun } from "./arguments.ts";
import { launch } from "./launch.ts";
import { makePlan } from "./plan.ts";
import { withGroup } from "./user.ts";

// A bundle of its own, carried as a file: a launch loads one module and nothing
// else. As a module it would come with bytecode, node:fs's for one, 1.9 MB whose
// mere presence takes 0.25 ms of every start.
type Commands = typeof import("./commands/index.ts");

const command = process.argv[2];
const words = process.argv.slice(3);

try {
  if (command === "run") {
    const options = words[0]?.[0] === "@" ? await readProfile(words) : readRun(words);
    const plan = makePlan(withGroup(options));
    if (options.wait !== undefined) {
      const { wait }: Commands = await import(COMMANDS);
      wait(plan, options.wait, options.dryRun);
    }
    if (options.dryRun || options.verbose) {
      const { decide, explain }: Commands = await import(COMMANDS);
      explain(decide(plan), options);
    }
    if (!options.dryRun) launch(plan); // returns never: it becomes the program, or throws
  } else {
    const { runCommand }: Commands = await import(COMMANDS);
    process.exitCode = await runCommand(command, words);
  }
} catch (error) {
  const { end }: Commands = await import(COMMANDS);
  process.exit(await end(error, command));
}

/** The options, and the program, that /etc/nspin has under a name. */
async function readProfile(words: readonly string[]): Promise<RunOptions> {
  const { readRunByProfile }: Commands = await import(COMMANDS);
  return readRunByProfile(words);
}
