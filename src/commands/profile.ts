// A profile: options of run and bake, and a program, under a name: /etc/nspin/NAME.toml.
import { lstatSync, readFileSync } from "node:fs";
import type { ArgDef, ArgsDef, EnumArgDef } from "citty";
import { closest } from "fastest-levenshtein";
import * as v from "valibot";
import { NO_LIMIT, notOneOf, type Profile } from "../arguments.ts";
import { quote, Refusal } from "../errors.ts";
import { attempt } from "../system-error.ts";

const DIRECTORY = "/etc/nspin";

/**
 * Takes "@NAME". A key is the long name of an option in args. One that only others has is refused,
 * unless it is ignored: what says how a program is started must not be lost. Throws Refusal.
 */
export function readProfile(
  word: string,
  args: ArgsDef,
  others: ArgsDef,
  ignored: readonly string[] = [],
): Profile {
  const name = word.slice(1);
  if (!/^[\w:@-][\w:.@-]*$/.test(name)) {
    throw new Refusal(
      `cannot use profile ${quote(name)}: a name has letters, digits and :-_.@ only`,
      `@NAME stands for ${DIRECTORY}/NAME.toml`,
    );
  }
  const path = `${DIRECTORY}/${name}.toml`;
  const table = parse(path, readOwn(path));
  const keys = Object.keys(table).filter((key) => !ignored.includes(key));
  refuseUnknown(path, keys, args, others);
  const result = v.safeParse(schemaOf(args), table, { abortEarly: true });
  if (!result.success) throw refusal(path, result.issues[0].message);
  const { program = [], ...all } = result.output as Readonly<Record<string, string[]>>;
  // An empty list is as if the key were not there: so is an option that a command line does not give.
  const values = Object.fromEntries(Object.entries(all).filter(([, given]) => given.length > 0));
  return { values, program };
}

function refusal(path: string, why: string, hint?: string): Refusal {
  return new Refusal(`cannot use profile ${path}: ${why}`, hint);
}

// --- the file ---

/** Whoever can write it starts programs as root. Where only root can, nobody exchanges anything meanwhile. */
function readOwn(path: string): Buffer {
  const hint = "a profile is a file; 'nspin run' takes the options themselves, too";
  for (const part of ["/", "/etc", DIRECTORY, path]) {
    const stats = attempt("read", part, hint, () => lstatSync(part));
    if (part === path ? !stats.isFile() : !stats.isDirectory()) {
      const wanted = part === path ? "regular file" : "directory";
      throw refusal(path, `${part} is ${stats.isSymbolicLink() ? "a symbolic link" : `no ${wanted}`}`);
    }
    const groupAndOthers = 0o022;
    if (stats.uid !== 0 || (stats.mode & groupAndOthers) !== 0) {
      const mode = (stats.mode & 0o7777).toString(8);
      throw refusal(
        path,
        `others than root can write ${part} (owner ${stats.uid}, mode ${mode})`,
        `look what is in it, then 'chown root ${part} && chmod go-w ${part}'`,
      );
    }
  }
  return attempt("read", path, undefined, () => readFileSync(path));
}

function parse(path: string, bytes: Buffer): object {
  try {
    return Bun.TOML.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) throw refusal(path, "it is not UTF-8");
    throw refusal(path, (error as Error).message.replace(/^TOML Parse error/, "it is not TOML"));
  }
}

// --- its keys ---

const PROGRAM = "program";

function refuseUnknown(path: string, keys: readonly string[], args: ArgsDef, others: ArgsDef): void {
  const known = [PROGRAM, ...Object.keys(args)];
  for (const key of keys) {
    if (known.includes(key)) continue;
    if (Object.hasOwn(others, key)) throw refusal(path, `this command has no option --${key}`);
    throw refusal(path, `unknown key ${quote(key)}`, `the nearest is ${quote(closest(key, known))}`);
  }
}

type Values = v.GenericSchema<unknown, string[]>;
type Input = { readonly input: unknown };

function schemaOf(args: ArgsDef) {
  const options = Object.entries(args).map(([name, arg]) => [name, v.optional(valuesOf(name, arg))]);
  const program = v.array(Word, ({ input }: Input) => `program needs a list of words, not ${shown(input)}`);
  return v.object<Record<string, v.OptionalSchema<Values, undefined>>>({
    ...Object.fromEntries(options),
    [PROGRAM]: v.optional(v.pipe(program, v.minLength(1, "program needs a word"))),
  });
}

/** As execve(2) takes it. */
const Word = v.pipe(
  v.string(({ input }) => `a word is in quotes, unlike ${shown(input)}`),
  v.check(
    (word) => !word.includes("\0") && word.isWellFormed(),
    ({ input }) => `no word can be ${shown(input)}`,
  ),
);

/** What a command line would have for that option. */
function valuesOf(name: string, arg: ArgDef): Values {
  const asList = v.transform((value: string) => [value]);
  if (arg.type === "boolean" && arg.valueHint !== undefined) {
    const asFlag = v.transform((value: boolean) => (value ? [NO_LIMIT] : []));
    return v.union(
      [v.pipe(v.boolean(), asFlag), v.pipe(Word, asList)],
      ({ input }: Input) => `${name} needs true, false or a word in quotes, not ${shown(input)}`,
    );
  }
  if (arg.type === "boolean") {
    return v.pipe(
      v.boolean(({ input }) => `${name} needs true or false, not ${shown(input)}`),
      v.transform((value) => [String(value)]),
    );
  }
  if (arg.type === "enum") {
    const options = (arg as EnumArgDef).options?.map(String) ?? [];
    return v.pipe(
      v.picklist(options, ({ input }: Input) => notOneOf(name, options, String(input))),
      asList,
    );
  }
  return v.union(
    [v.pipe(Word, asList), v.array(Word)],
    ({ input }: Input) => `${name} needs a word in quotes, or a list of them, not ${shown(input)}`,
  );
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
