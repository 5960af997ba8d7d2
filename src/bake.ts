// A plan into a launcher's file, and out of it.
import { readFileSync } from "node:fs";
import type { BakeOptions } from "./bake-options.ts";
import { toJson, toLines } from "./describe.ts";
import { attempt } from "./errno.ts";
import { Refusal } from "./errors.ts";
import { readImage, writeImage } from "./image.ts";
import { makePlan, type Plan } from "./plan.ts";
import { replaceFile } from "./replace-file.ts";

/** Writes the launcher. Throws Refusal. */
export function bake(options: BakeOptions): void {
  const argv0 = 1;
  const run = { ...options, enter: "setns", dryRun: false, json: false, verbose: false } as const;
  const plan: Plan = { ...makePlan({ ...run, skip: argv0, program: [] }), words: wordsAfter(options.skip) };
  replaceFile(options.output, writeImage(plan, options.arch), 0o755);
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

/** Byte for byte: JavaScript's own words have what is not UTF-8 replaced. */
function wordsAfter(skip: number): Buffer[] {
  const line = readFileSync("/proc/self/cmdline");
  const words: Buffer[] = [];
  for (let at = 0; at < line.length; at += (words.at(-1)?.length ?? 0) + 1)
    words.push(line.subarray(at, line.indexOf(0, at)));
  return words.slice(skip);
}
