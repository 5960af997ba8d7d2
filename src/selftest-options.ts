// The words after "selftest". Apart from cli.ts, so that a launch does not load it.
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { quote, readWords, tryHelp, type Words } from "./cli.ts";
import { Refusal } from "./errors.ts";

export const selftestArgs = {
  count: { type: "string", valueHint: "N", default: "1000", description: "how many runs" },
  jobs: {
    type: "string",
    valueHint: "N",
    description: "how many at a time; by default twice the number of processors",
  },
  "work-dir": {
    type: "string",
    valueHint: "DIR",
    default: "/tmp",
    description: "where to make the directory of the test's files",
  },
  unpinned: {
    type: "boolean",
    description: "show the bug instead: the same steps, each on whichever thread is free",
  },
} as const satisfies ArgsDef;

function once(name: string) {
  return v.pipe(
    v.array(v.string()),
    v.maxLength(1, `option --${name} is given more than once`),
    v.transform(([value]) => value as string),
  );
}

function flag(name: string, preset: boolean) {
  return v.optional(
    v.pipe(
      once(name),
      v.transform((value) => value === "true"),
    ),
    [String(preset)],
  );
}

function whole(name: string, least: number) {
  return v.pipe(
    once(name),
    v.regex(/^[0-9]{1,7}$/, (issue) => `option --${name} needs a whole number, not ${quote(issue.input)}`),
    v.transform(Number),
    v.minValue(least, `option --${name} needs at least ${least}`),
  );
}

const Selftest = v.object({
  count: v.optional(whole("count", 1), [selftestArgs.count.default]),
  jobs: v.optional(whole("jobs", 1)),
  "work-dir": v.optional(v.pipe(once("work-dir"), v.nonEmpty("option --work-dir needs a directory")), [
    selftestArgs["work-dir"].default,
  ]),
  unpinned: flag("unpinned", false),
});

export interface SelftestOptions {
  readonly count: number;
  readonly jobs?: number | undefined;
  readonly workDir: string;
  readonly unpinned: boolean;
}

/** The words after "selftest". Throws Refusal. */
export function readSelftest(words: readonly string[]): SelftestOptions {
  const { values, used } = readWords(selftestArgs, words);
  const extra = words[used];
  if (extra !== undefined) throw new Refusal(`selftest takes no argument ${quote(extra)}`, tryHelp);
  const { "work-dir": workDir, ...options } = check(Selftest, values);
  return Object.freeze({ ...options, workDir });
}

function check<Schema extends v.GenericSchema>(
  schema: Schema,
  values: Words["values"],
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, values, { abortEarly: true });
  if (!result.success) throw new Refusal(result.issues[0].message, tryHelp);
  return result.output;
}
