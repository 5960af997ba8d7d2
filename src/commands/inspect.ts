// nspin inspect: the plan in a launcher's file.
import { closeSync, openSync, readSync } from "node:fs";
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { Refusal } from "../errors.ts";
import { toJson, toLines } from "../explain.ts";
import { readLauncher } from "../launcher-file.ts";
import { print, printable } from "../print.ts";
import { attempt } from "../system-error.ts";
import { type Command, DONE, flag, readOptions, usageOf } from "./command.ts";

const args = { json: { type: "boolean", description: "print JSON" } } as const satisfies ArgsDef;

const Options = v.object({ json: flag("json") });

export const inspect: Command = {
  meta: { name: "inspect", description: "Print the plan in a launcher" },
  usage: "[OPTIONS] FILE",
  examples: ["nspin inspect /usr/local/bin/soci-task1"],
  statuses: DONE,
  args,
  action(words) {
    const { options, rest } = readOptions(args, Options, words);
    const [file, ...more] = rest;
    if (file === undefined || file === "" || more.length > 0) {
      throw new Refusal("inspect takes one FILE", usageOf(inspect));
    }
    const contents = attempt("read", file, undefined, () => beginningOf(file));
    const { plan, arch, version, isOwn } = read(file, contents);
    const shown = { ...plan, program: ["ARG..."] };
    if (options.json) print(toJson(shown, { bakedBy: version ?? null, arch }));
    else {
      const by = `baked by ${version === undefined ? "an earlier nspin" : `nspin ${version}`}`;
      const note = `note: for ${arch}, ${by}${isOwn ? "" : ", with other code than this one's"}`;
      for (const line of [...toLines(shown), note]) print(printable(line));
      print("note: how each file is covered, and what is in /etc/netns, is found out at the start");
    }
    return 0;
  },
};

/** Not all of it, as it can be a device's, without an end. A launcher is shorter: its words are of one command line. */
function beginningOf(file: string): Buffer {
  const bytes = Buffer.alloc(16 << 20);
  const fd = openSync(file, "r");
  try {
    let length = 0;
    for (let more = 1; more > 0 && length < bytes.length; length += more)
      more = readSync(fd, bytes, { offset: length });
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

function read(file: string, contents: Buffer) {
  try {
    return readLauncher(contents);
  } catch (error) {
    throw new Refusal(`cannot read ${file}: ${(error as Error).message}`, "'nspin bake' writes launchers");
  }
}
