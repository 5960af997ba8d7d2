// A plan into a launcher's file, and out of it.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { BakeOptions } from "./bake-options.ts";
import { commandLine, wordsOfRuntime } from "./command-line.ts";
import { toJson, toLines } from "./describe.ts";
import { attempt } from "./errno.ts";
import { Refusal } from "./errors.ts";
import { readImage, writeImage } from "./image.ts";
import { makePlan, type Plan } from "./plan.ts";

/** Writes the launcher. Throws Refusal. */
export function bake(options: BakeOptions): void {
  const argv0 = 1;
  const run = { ...options, enter: "setns", dryRun: false, json: false, verbose: false } as const;
  const plan: Plan = {
    ...makePlan({ ...run, skip: argv0, program: [] }),
    words: commandLine().slice(wordsOfRuntime() + options.skip),
  };
  const part = `${options.output}.part`;
  attempt("write", options.output, "its directory must exist", () => {
    try {
      writeFileSync(part, writeImage(plan, options.arch), { mode: 0o755, flush: true });
      renameSync(part, options.output); // at once: it may be running
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    }
  });
}

/** Prints the plan in a launcher. Throws Refusal. */
export function inspect(name: string, isJson: boolean): void {
  const file = attempt("read", name, undefined, () => readFileSync(name));
  const { plan, arch } = read(name, file);
  const shown = { ...plan, program: ["ARG..."] };
  const lines = isJson ? [toJson(shown)] : toLines(shown);
  for (const line of lines) console.log(line);
  if (isJson) return;
  console.log(
    `note: for ${arch}; how each file is covered, and what is in /etc/netns, is found out at the start`,
  );
}

function read(name: string, file: Buffer) {
  try {
    return readImage(file);
  } catch (error) {
    throw new Refusal(`cannot read ${name}: ${(error as Error).message}`, "'nspin bake' writes launchers");
  }
}
