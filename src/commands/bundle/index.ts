// nspin bundle.
import { readFileSync } from "node:fs";
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { readCovers, runArgs } from "../../arguments.ts";
import { quote, Refusal } from "../../errors.ts";
import { log } from "../../log.ts";
import { absolutePath, type Command, choice, DONE, ofRun, once, readOptions, usageOf } from "../command.ts";
import { ociConfig } from "./config.ts";
import { writeBundle } from "./directory.ts";
import { type BundleOptions, layOut } from "./layout.ts";

const args = {
  ...ofRun("netns"),
  bind: { ...runArgs.bind, description: "show SRC at DST, to the program only; may be repeated" },
  ...ofRun("etc", "strict", "read-only"),
  method: {
    type: "enum",
    options: ["auto", "overlay"],
    default: "auto",
    description: "overlay: keep a plain file covered though the host replaces it; its directory is read-only",
  },
  share: {
    type: "string",
    valueHint: "PATH",
    description: "what the program mounts below this directory reaches the host; may be repeated",
  },
  env: {
    type: "string",
    valueHint: "NAME[=VALUE]",
    description:
      "set a variable, or pass on nspin's own; may be repeated; the program gets no other but PATH",
  },
  cwd: { type: "string", valueHint: "DIR", default: "/", description: "the program's working directory" },
} as const satisfies ArgsDef;

const Options = v.object({
  method: choice("method", args.method),
  share: v.optional(v.array(absolutePath("share")), []),
  env: v.optional(
    v.array(
      v.pipe(
        v.string(),
        v.regex(/^[^=]/, ({ input }) => `option --env needs NAME or NAME=VALUE, not ${quote(input)}`),
      ),
    ),
    [],
  ),
  cwd: v.optional(v.pipe(once("cwd"), absolutePath("cwd")), [args.cwd.default]),
});

/** Throws Refusal. */
export function readBundle([directory = "", ...words]: readonly string[]): BundleOptions {
  if (directory === "" || directory.startsWith("-"))
    throw new Refusal("bundle takes DIR first", usageOf(bundle));
  const { options, values, rest } = readOptions(args, Options, words);
  if (rest.length === 0) throw new Refusal("no program given", usageOf(bundle));
  const env = options.env.map(withValue);
  return Object.freeze({ ...readCovers(values), ...options, env, directory, program: rest });
}

/** As `runc exec --env`, and `docker run --env` where only a name is given. */
function withValue(variable: string): string {
  if (variable.includes("=")) return variable;
  // Not process.env: the entry guard hides the environment from the runtime.
  const own = utf8("/proc/self/environ", "an environment variable").split("\0");
  const found = own.find((one) => one.startsWith(`${variable}=`));
  if (found === undefined) {
    const hint = "set it, or give --env NAME=VALUE";
    throw new Refusal(`environment variable ${quote(variable)} is not set`, hint);
  }
  return found;
}

/** For JSON, which holds UTF-8 only: in process.argv other bytes are replaced without an error. */
function utf8(file: string, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal(`cannot write ${what} that is not UTF-8: JSON cannot hold it`);
  }
}

export const bundle: Command = {
  meta: {
    name: "bundle",
    description: "Write an OCI bundle, by which runc or crun starts a program",
  },
  usage: "DIR --netns ID [OPTIONS] [--] PROGRAM [ARG...]",
  examples: [
    "nspin bundle /dev/shm/soci --netns task1 -- soci-snapshotter-grpc",
    "runc run --bundle /dev/shm/soci soci",
  ],
  statuses: DONE,
  args,
  action(words) {
    const options = readBundle(words);
    utf8("/proc/self/cmdline", "an argument");
    const { directory, layout, notes } = layOut(options);
    writeBundle(directory, ociConfig(layout), layout);
    for (const note of notes) log.info(`note: ${note}`);
    return 0;
  },
};
