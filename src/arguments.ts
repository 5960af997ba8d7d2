// The words of a command line -> the values of its options, and run's Options.
//
// The tables are citty's; the words are read here. Its own reader accepts
// unknown options, swallows any --no-x, keeps one of several --bind, and does
// not stop at the program's name; and it loads node:util, which costs more than a
// millisecond (`npm run bench`). What they are shown as is made in commands/help.ts.
import type { ArgsDef, ArgType, BooleanArgDef } from "citty";
import { commandLine } from "./command-line.ts";
import { EXTRAS, METHODS } from "./contract.ts";
import { HelpAsked, quote, Refusal, tryHelp } from "./errors.ts";
import { readUser, type User } from "./user.ts";

export type Method = keyof typeof METHODS;
export type Extra = keyof typeof EXTRAS;

export const runUsage = "@PROFILE|--netns ID [OPTIONS] [--] PROGRAM [ARG...]";

export const runArgs = {
  netns: {
    type: "string",
    valueHint: "ID",
    description: "network namespace: a name under /run/netns, an absolute path, or pid:N",
  },
  bind: {
    type: "string",
    valueHint: "SRC:DST",
    description: "show SRC at DST, to the program only; may be repeated",
  },
  etc: {
    type: "boolean",
    default: true,
    description: "cover the namesakes in /etc of what is in /etc/netns/ID",
    negativeDescription: "leave /etc as it is: the program keeps the host's resolv.conf",
  },
  enter: {
    type: "enum",
    options: ["auto", "nsenter", "setns"],
    default: "auto",
    description:
      "become nsenter(1), which enters and starts the program; or enter and start it directly; auto: by nsenter where it can",
  },
  user: {
    type: "string",
    valueHint: "NAME[:GROUP]|UID:GID",
    description: "start the program as this user, with that one's groups and no capability, by setpriv(1)",
  },
  caps: {
    type: "string",
    valueHint: "CAP,...",
    description: "with --user: the capabilities that it keeps, as net_bind_service,net_raw",
  },
  sys: {
    type: "boolean",
    description: "show a sysfs of the network namespace on /sys, with what the host has mounted in its own",
  },
  "own-dns": {
    type: "boolean",
    description:
      "hide what answers for the host by a socket: nscd, systemd-resolved, nsswitch.conf's 'resolve'",
  },
  method: {
    type: "enum",
    options: Object.keys(METHODS) as Method[],
    default: "auto",
    description:
      "how to cover a file that a shared mount holds; nspin run --dry-run says what auto takes, and why",
  },
  keep: {
    type: "boolean",
    default: true,
    description: "leave a keeper beside the program, which covers again what the host uncovers (method auto)",
    negativeDescription: "no process stays beside the program: what auto decides at the start must hold",
  },
  wait: {
    type: "boolean",
    valueHint: "DURATION",
    description:
      "wait until the network namespace and its resolv.conf are there: for ever, or with =DURATION that long (10, 500ms, 2min), then exit with 124",
  },
  strict: {
    type: "boolean",
    description: "refuse an entry of /etc/netns/ID without a namesake in /etc, instead of a warning",
  },
  "read-only": { type: "boolean", description: "the program cannot write what it is shown" },
  "dry-run": {
    type: "boolean",
    description: "print what would be done, change nothing; needs no privilege",
  },
  json: { type: "boolean", description: "with --dry-run: print JSON" },
  verbose: { type: "boolean", alias: "v", description: "print what will be done on stderr before it is" },
  steps: { type: "boolean", description: "with --dry-run or -v: step by step" },
} as const satisfies ArgsDef;

export interface Words {
  /** The values of each option given, by its long name; a flag's is "true" or "false". */
  readonly values: Readonly<Record<string, readonly string[]>>;
  /** How many words were options, "--" included: the next is the program, or an argument. */
  readonly used: number;
}

/** Of a flag that can have a value, `--wait=DURATION`, where none is given. */
export const NO_LIMIT = "infinity";

/** Reads options up to "--", or to the first word that is not one. Throws Refusal for an unknown one, or HelpAsked. */
export function readWords(args: ArgsDef, words: readonly string[]): Words {
  const values: Record<string, string[]> = {};
  let at = 0;
  while (at < words.length) {
    const word = words[at] as string;
    if (word === "--") return { values, used: at + 1 };
    if (!word.startsWith("-") || word === "-") break;
    at++;
    if (isHelp(word)) throw new HelpAsked();
    const equals = word.indexOf("=");
    const option = equals < 0 ? word : word.slice(0, equals);
    let value = equals < 0 ? undefined : word.slice(equals + 1);
    const name = nameOf(option, args);
    if (name === undefined) throw new Refusal(`unknown option ${quote(option)}`, tryHelp);
    const { type, valueHint } = args[name] as BooleanArgDef;
    if (type === "boolean" && valueHint !== undefined) value ??= NO_LIMIT;
    else if (type === "boolean") {
      if (value !== undefined) throw new Refusal(`option ${option} takes no value`, tryHelp);
      value = option.startsWith("--no-") ? "false" : "true";
    } else if (value === undefined) {
      value = words[at++];
      if (value === undefined) throw new Refusal(`option ${option} needs a value`, tryHelp);
    }
    if (value.indexOf("\ufffd") >= 0) refuseReplaced(option, words.length - at);
    values[name] ??= [];
    values[name].push(value);
  }
  return { values, used: at };
}

/** The option that every command has. */
export function isHelp(word?: string): boolean {
  return word === "--help" || word === "-h";
}

/**
 * In a word that is not UTF-8 JavaScript has U+FFFD in place of some bytes: of a path that is another file.
 * Throws Refusal.
 */
function refuseReplaced(option: string, behind: number): void {
  const bytes = commandLine().at(-behind - 1);
  if (bytes !== undefined && !Buffer.from(bytes.toString()).equals(bytes))
    throw new Refusal(`option ${option} needs a value in UTF-8`, tryHelp);
}

/** Exactly as the table has it: no prefix of a name, and nothing that every object inherits. */
function nameOf(option: string, args: ArgsDef): string | undefined {
  for (const name in args) {
    const { type, default: preset, alias } = args[name] as BooleanArgDef;
    if ((type as ArgType) === "positional") continue;
    if (option === `--${name}` || (alias !== undefined && option === `-${alias}`)) return name;
    if (type === "boolean" && preset === true && option === `--no-${name}`) return name;
  }
  return undefined;
}

// --- words -> Options ---
// By hand: valibot, which reads those of the other commands, costs 0.5 ms of a launch. And
// in loops, from here to the call: the first map() of a process takes 75 us, the
// first Buffer 85, each regular expression 40, each find() or slice() 20.

function one(values: Words["values"], name: string): string | undefined {
  const given = values[name] ?? [];
  if (given.length > 1) throw new Refusal(givenTwice(name), tryHelp);
  return given[0];
}

function readBind(value: string): { source: string; target: string } {
  const [source, target, more] = splitAtColons(value);
  if (!source || !target || more !== undefined) {
    throw new Refusal(
      `option --bind needs SRC:DST, two paths and one ":", not ${quote(value)}`,
      "a colon in a path is written \\:, a backslash \\\\",
    );
  }
  if (!target.startsWith("/")) {
    throw new Refusal(`option --bind needs an absolute DST, not ${quote(target)}`, tryHelp);
  }
  return { source, target };
}

/** As in overlayfs's lowerdir=, mount(8): a backslash takes its meaning from a colon, or a backslash. */
function splitAtColons(value: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (let i = 0; i < value.length; i++) {
    const isEscape = value[i] === "\\" && (value[i + 1] === ":" || value[i + 1] === "\\");
    if (isEscape) i++;
    if (value[i] !== ":" || isEscape) part += value[i];
    else {
      parts.push(part);
      part = "";
    }
  }
  parts.push(part);
  return parts;
}

/** The value of an option that is one of few words. */
function choose<Option extends string>(
  values: Words["values"],
  name: string,
  { options, default: preset }: { readonly options: readonly Option[]; readonly default: string },
): Option {
  const value = one(values, name) ?? preset;
  for (const option of options) if (option === value) return option;
  throw new Refusal(notOneOf(name, options, value), tryHelp);
}

export function givenTwice(name: string): string {
  return `option --${name} is given more than once`;
}

export function notOneOf(name: string, options: readonly string[], value: string): string {
  return `option --${name} needs ${options.slice(0, -1).join(", ")} or ${options.at(-1)}, not ${quote(value)}`;
}

/** What the program shall see, by whichever command it is started. */
export interface CoverOptions {
  readonly netns?: string | undefined;
  readonly bind: readonly { readonly source: string; readonly target: string }[];
  readonly etc: boolean;
  readonly keep: boolean;
  readonly strict: boolean;
  readonly readOnly: boolean;
}

export function readCovers(values: Words["values"]): CoverOptions {
  const bind: ReturnType<typeof readBind>[] = [];
  for (const value of values.bind ?? []) bind.push(readBind(value));
  const options: CoverOptions = {
    netns: one(values, "netns"),
    bind,
    etc: one(values, "etc") !== "false",
    keep: one(values, "keep") !== "false",
    strict: one(values, "strict") === "true",
    readOnly: one(values, "read-only") === "true",
  };
  if (options.netns === undefined && options.bind.length === 0 && one(values, "netns-arg") !== "true") {
    throw new Refusal(
      "nothing to do: neither --netns nor --bind is given",
      "give one, or a profile, which is the first word: nspin run @NAME",
    );
  }
  return options;
}

/** Of --user and --caps. */
export function readAs(values: Words["values"]): { user?: User } {
  const user = one(values, "user");
  const caps = one(values, "caps");
  if (user !== undefined) return { user: readUser(user, caps) };
  if (caps !== undefined) throw new Refusal("option --caps needs --user", tryHelp);
  return {};
}

/** Of --sys and --own-dns. */
export function readExtras(values: Words["values"]): readonly Extra[] {
  const extras: Extra[] = [];
  for (const name in EXTRAS) if (one(values, name) === "true") extras.push(name as Extra);
  if (extras.includes("sys") && values.netns === undefined && one(values, "netns-arg") !== "true") {
    throw new Refusal("option --sys needs --netns", "it shows /sys as that network namespace has it");
  }
  return extras;
}

export interface RunOptions extends CoverOptions {
  readonly extras: readonly Extra[];
  /** How long at most, as it was given. */
  readonly wait?: string | undefined;
  readonly user?: User;
  readonly enter: "auto" | "nsenter" | "setns";
  readonly method: Method;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly steps: boolean;
  /** The words of nspin's own command line before the program, argv[0] included. */
  readonly skip: number;
  /** The program's words that are not on the command line: those of a profile. */
  readonly words: readonly string[];
  /** The program's words that are, as JavaScript knows them: to show, not to start (their bytes may differ). */
  readonly program: readonly string[];
}

/** Options, and a program, that the command line's take the place of. */
export interface Profile {
  readonly values: Words["values"];
  readonly program: readonly string[];
}

/** A profile's program is taken where the command line has none. */
export function readProgram(
  program: readonly string[],
  used: number,
  profile?: Profile,
): Pick<RunOptions, "skip" | "words"> {
  const before = profile === undefined ? 2 : 3; // argv[0], the command, the profile's name
  return {
    skip: before + used,
    words: profile === undefined || program.length > 0 ? [] : profile.program,
  };
}

/** `--wait 5`: that would wait for ever, and then look for a program of that name. Throws Refusal. */
function refuseDuration(word = ""): void {
  if (/^[0-9.]+[a-z]*$/.test(word))
    throw new Refusal(
      `option --wait takes its duration as --wait=${word}`,
      "'--' comes before a program of that name",
    );
}

/** The words after "run", and after a profile's name. Throws Refusal. */
export function readRun(words: readonly string[], profile?: Profile): RunOptions {
  const { values: given, used } = readWords(runArgs, words);
  const values = profile === undefined ? given : { ...profile.values, ...given };
  const program = words.slice(used);
  if (words[used - 1] === "--wait") refuseDuration(program[0]);
  const options: RunOptions = {
    ...readCovers(values),
    wait: one(values, "wait"),
    ...readAs(values),
    extras: readExtras(values),
    enter: choose(values, "enter", runArgs.enter),
    method: choose(values, "method", runArgs.method),
    dryRun: one(values, "dry-run") === "true",
    json: one(values, "json") === "true",
    verbose: one(values, "verbose") === "true",
    steps: one(values, "steps") === "true",
    ...readProgram(program, used, profile),
    program,
  };
  if (program.length + options.words.length === 0) {
    throw new Refusal("no program given", `usage: nspin run ${runUsage}`);
  }
  if (options.user !== undefined && options.enter === "nsenter") {
    throw new Refusal(
      "options --user and --enter nsenter exclude each other",
      "setpriv(1) starts the program then",
    );
  }
  if (options.json && !options.dryRun) throw new Refusal("option --json needs --dry-run", tryHelp);
  if (options.steps && !options.dryRun && !options.verbose)
    throw new Refusal("option --steps needs --dry-run or -v", tryHelp);
  return Object.freeze(options);
}
