// What a command is, and how its options are read: of its table the help, the man page and the
// completions are made, the words are read as those of `run` are, and valibot makes the values of them.
import type { ArgsDef, CommandMeta } from "citty";
import * as v from "valibot";
import { givenTwice, notOneOf, type Profile, readWords, runArgs, type Words } from "../arguments.ts";
import { quote, Refusal, tryHelp } from "../errors.ts";

export interface Command {
  readonly meta: CommandMeta;
  /** What follows its name. Completions know what stands for a value by its name here, build/completions.ts. */
  readonly usage: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** What its exit statuses say, but for 125. */
  readonly statuses: Readonly<Record<string, string>>;
  readonly args: ArgsDef;
  /** Takes the words after the command's name. Returns the exit status. Throws Refusal. */
  readonly action: (words: readonly string[]) => number | Promise<number>;
}

/** By their names; loaded one by one, when asked for. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>;

/** Throws Refusal. */
export async function findCommand(commands: Commands, name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load !== undefined) return await load();
  throw new Refusal(`unknown ${name.startsWith("-") ? "option" : "command"} ${quote(name)}`, tryHelp);
}

/** Those that are for users. */
export async function shownOf(commands: Commands): Promise<[name: string, command: Command][]> {
  const all: [string, Command][] = [];
  for (const [name, load] of Object.entries(commands)) all.push([name, await load()]);
  return all.filter(([, { meta }]) => !meta.hidden);
}

export function usageOf({ meta, usage }: Command): string {
  return `usage: nspin ${meta.name} ${usage}`;
}

/** Of a command that does one thing. */
export const DONE = { 0: "it is done" };

/** Some of the options of `run`, as its table has them. */
export function ofRun<Name extends keyof typeof runArgs>(...names: readonly Name[]) {
  return Object.fromEntries(names.map((name) => [name, runArgs[name]])) as Pick<typeof runArgs, Name>;
}

export interface Read<Schema extends v.GenericSchema> {
  readonly options: v.InferOutput<Schema>;
  /** As they were given, for arguments.ts to read what `run` takes too. */
  readonly values: Words["values"];
  /** What follows the options. */
  readonly rest: readonly string[];
  /** How many words were options. */
  readonly used: number;
}

/** The words take the place of what a profile has. Throws Refusal. */
export function readOptions<Schema extends v.GenericSchema>(
  args: ArgsDef,
  schema: Schema,
  words: readonly string[],
  profile?: Profile,
): Read<Schema> {
  const { values: given, used } = readWords(args, words);
  const values = { ...profile?.values, ...given };
  const result = v.safeParse(schema, values, { abortEarly: true });
  if (!result.success) throw new Refusal(result.issues[0].message, tryHelp);
  return { options: result.output, values, rest: words.slice(used), used };
}

/** Where options are all that it takes. Throws Refusal. */
export function refuseArgument(who: string, [word]: readonly string[]): void {
  if (word !== undefined) throw new Refusal(`${who} takes no argument ${quote(word)}`, tryHelp);
}

// --- schemas for the values of one option ---

/** The one value. */
export function once(name: string) {
  return v.pipe(
    v.array(v.string()),
    v.maxLength(1, givenTwice(name)),
    v.transform(([value]) => value as string),
  );
}

export function flag(name: string) {
  return v.optional(
    v.pipe(
      once(name),
      v.transform((value) => value === "true"),
    ),
    ["false"],
  );
}

/** One of the table's words. */
export function choice<const Option extends string>(
  name: string,
  { options, default: preset }: { readonly options: readonly Option[]; readonly default: string },
) {
  const message = ({ input }: { readonly input: unknown }) => notOneOf(name, options, String(input));
  return v.optional(v.pipe(once(name), v.picklist(options, message)), [preset]);
}

export function whole(name: string, least: number) {
  return v.pipe(
    once(name),
    v.regex(/^[0-9]{1,7}$/, ({ input }) => `option --${name} needs a whole number, not ${quote(input)}`),
    v.transform(Number),
    v.minValue(least, `option --${name} needs at least ${least}`),
  );
}

export function absolutePath(name: string) {
  return v.pipe(
    v.string(),
    v.startsWith("/", ({ input }) => `option --${name} needs an absolute path, not ${quote(input)}`),
  );
}
