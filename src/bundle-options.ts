// The words after "bundle". Apart from cli.ts, so that a launch does not load it.
import { readFileSync } from "node:fs";
import type { ArgsDef } from "citty";
import { type CoverOptions, choose, one, quote, readCovers, readWords, runArgs, tryHelp } from "./cli.ts";
import { Refusal } from "./errors.ts";

const { netns, bind, etc, "read-only": readOnly } = runArgs;

export const bundleArgs = {
  netns,
  bind: { ...bind, description: "show SRC at DST, to the program only; may be repeated" },
  etc,
  "read-only": readOnly,
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

export interface BundleOptions extends CoverOptions {
  readonly directory: string;
  readonly method: "auto" | "overlay";
  readonly share: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly program: readonly string[];
}

const usage = "usage: nspin bundle DIR --netns ID [OPTIONS] [--] PROGRAM [ARG...]";

/** The words after "bundle". Throws Refusal. */
export function readBundle([directory = "", ...words]: readonly string[]): BundleOptions {
  if (directory === "" || directory.startsWith("-")) throw new Refusal("bundle takes DIR first", usage);
  const { values, used } = readWords(bundleArgs, words);
  const program = words.slice(used);
  if (program.length === 0) throw new Refusal("no program given", usage);
  const cwd = one(values, "cwd") ?? bundleArgs.cwd.default;
  for (const [name, paths] of Object.entries({ cwd: [cwd], share: values.share ?? [] })) {
    const relative = paths.find((path) => !path.startsWith("/"));
    if (relative === undefined) continue;
    throw new Refusal(`option --${name} needs an absolute path, not ${quote(relative)}`, tryHelp);
  }
  return Object.freeze({
    ...readCovers(values),
    directory,
    method: choose(values, "method", bundleArgs.method),
    share: values.share ?? [],
    env: (values.env ?? []).map(readVariable),
    cwd,
    program,
  });
}

/** As `runc exec --env`, and `docker run --env` where only a name is given. */
function readVariable(value: string): string {
  if (/^[^=]+=/.test(value)) return value;
  if (value === "" || value.startsWith("=")) {
    throw new Refusal(`option --env needs NAME or NAME=VALUE, not ${quote(value)}`, tryHelp);
  }
  // Not process.env: the entry guard hides the environment from the runtime.
  const own = utf8("/proc/self/environ", "an environment variable").split("\0");
  const variable = own.find((one) => one.startsWith(`${value}=`));
  if (variable === undefined)
    throw new Refusal(`environment variable ${quote(value)} is not set`, "set it, or give --env NAME=VALUE");
  return variable;
}

/** What JSON is to hold must be UTF-8; JavaScript's own words would have been mended in silence. */
export function utf8(file: string, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal(`cannot write ${what} that is not UTF-8: JSON cannot hold it`);
  }
}
