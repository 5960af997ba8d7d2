// Completions for bash, zsh and fish: packaging/completions/, with the tables of src/commands/ filled in.
import { type Command, shownOf } from "../src/commands/command.ts";
import { commands } from "../src/commands/index.ts";
import { optionRows } from "../src/commands/option-rows.ts";
import { fill } from "./template.ts";

/**
 * What can stand for a value, by its name in the help. Of a program everything that follows
 * is a command line of its own. "": nothing that a shell could know.
 */
const KINDS: Readonly<Record<string, string>> = {
  ID: "netns",
  "PID|NETNS": "netns",
  "SRC:DST": "pair",
  FILE: "file",
  DIR: "directory",
  PATH: "directory",
  PROGRAM: "program",
  COMMAND: "command",
  N: "",
  "NAME[:GROUP]|UID:GID": "user",
  "NAME:GROUP|UID:GID": "user",
  "CAP,...": "",
  "NAME[=VALUE]": "",
};

const TEMPLATES = "packaging/completions";
const PROFILE = "@PROFILE|";

interface Option {
  readonly words: readonly string[];
  readonly description: string;
  /** undefined: it takes none. */
  readonly value:
    | { readonly name: string; readonly kind: string; readonly choices: readonly string[] }
    | undefined;
}

interface Taken {
  readonly options: readonly Option[];
  /** How many operands stand before the options, where it takes any. */
  readonly lead: number;
  readonly operands: readonly { readonly name: string; readonly kind: string }[];
  /** Its first word can be a profile's name. */
  readonly hasProfile: boolean;
}

/** Throws where a value has a name that KINDS lacks. */
function taken(name: string, { usage, args }: Command): Taken {
  const kindOf = (value: string) => {
    const kind = KINDS[value];
    if (kind === undefined)
      throw new Error(`nspin ${name}: ${value} needs a row of KINDS, build/completions.ts`);
    return kind;
  };
  const options = optionRows(args).map(({ long, short, value, choices, description }) => ({
    words: short === undefined ? [long] : [short, long],
    description,
    value:
      value === undefined
        ? undefined
        : { name: value, kind: choices.length > 0 ? "" : kindOf(value), choices },
  }));
  const operands: { name: string; kind: string }[] = [];
  let lead: number | undefined;
  const hasProfile = usage.startsWith(PROFILE);
  const words = usage.replace(PROFILE, "").split(" ");
  for (let i = 0; i < words.length; i++) {
    const word = words[i]?.replaceAll(/[[\]]/g, "") ?? "";
    if (word === "") continue;
    const isOption = word === "OPTIONS" || word.startsWith("-");
    if (isOption) lead ??= operands.length;
    const hasValue = options.some((option) => option.value !== undefined && option.words.includes(word));
    if (isOption && hasValue) i++;
    if (isOption || operands.at(-1)?.kind === "program") continue;
    operands.push({
      name: word,
      kind: kindOf(word.replace("...", "")) + (word.endsWith("...") ? "..." : ""),
    });
  }
  return { options, lead: lead ?? 0, operands, hasProfile };
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const indented = (spaces: number, lines: readonly string[]) =>
  lines.map((line) => " ".repeat(spaces) + line).join("\n");

function bash(name: string, { options, lead, operands }: Taken): string[] {
  const kinds = options.flatMap(({ words, value }) => {
    if (value === undefined) return [];
    const kind = value.choices.length > 0 ? `=${value.choices.join(" ")}` : value.kind || "none";
    return words.map((word) => `[${word}]=${quoted(kind)}`);
  });
  return [
    `${name})`,
    `    options=${quoted(options.flatMap(({ words }) => words).join(" "))}`,
    `    kinds=(${kinds.join(" ")})`,
    `    lead=${lead} operands=(${operands.map(({ kind }) => kind || "none").join(" ")})`,
    "    ;;",
  ];
}

function zsh(name: string, { options, lead, operands }: Taken): string[] {
  const plain = (text: string) => text.replaceAll(/[[\]:\\]/g, "\\$&");
  const action = (kind: string) =>
    ({ file: "_files", directory: "_files -/", "": " " })[kind] ?? `_nspin_${kind}`;
  const specs = options.flatMap(({ words, description, value }) =>
    words.map((word) => {
      if (value === undefined) return `*${word}[${plain(description)}]`;
      const what = value.choices.length > 0 ? `(${value.choices.join(" ")})` : action(value.kind);
      const joined = word.startsWith("--") ? "=" : "+";
      return `*${word}${joined}[${plain(description)}]:${plain(value.name)}:${what}`;
    }),
  );
  operands.forEach(({ name, kind }, i) => {
    if (kind === "program") specs.push(`(-)${i + 1}:program: _command_names -e`, "*::arguments: _normal");
    else if (kind.endsWith("...")) specs.push(`*:${plain(name)}:${action(kind.slice(0, -3))}`);
    else specs.push(`${i + 1}:${plain(name)}:${action(kind)}`);
  });
  const begin = lead === 0 ? "_arguments -S -A '-*'" : "_arguments -S";
  return [`${name})`, [`  ${begin}`, ...specs.map((spec) => `    ${quoted(spec)}`)].join(" \\\n"), "  ;;"];
}

function fish(name: string, { options, lead, operands }: Taken): string[] {
  const shown = options.flatMap(({ words, description }) =>
    words.map((word) => `${word}\\t${inFish(description)}`),
  );
  const kinds = options.flatMap(({ words, value }) => {
    if (value === undefined) return [];
    const kind = value.choices.length > 0 ? `:${value.choices.join(" ")}` : value.kind;
    return words.map((word) => inFish(`${word}=${kind}`));
  });
  return [
    `case ${name}`,
    ["    set options", ...shown].join(" \\\n                "),
    ["    set kinds", ...kinds].join(" "),
    `    set lead ${lead}`,
    ["    set operands", ...operands.map(({ kind }) => kind || "none")].join(" "),
  ];
}

const inFish = (text: string) => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;

/** By the name that each shell looks for. */
export async function completions(): Promise<Record<"nspin.bash" | "_nspin" | "nspin.fish", string>> {
  const all = (await shownOf(commands)).map(([name, command]) => ({
    name,
    command,
    takes: taken(name, command),
  }));
  const profiled = all.filter(({ takes }) => takes.hasProfile).map(({ name }) => name);
  const table = (spaces: number, lines: (name: string, takes: Taken) => string[]) =>
    all.map(({ name, takes }) => indented(spaces, lines(name, takes))).join("\n");
  return {
    "nspin.bash": fill(`${TEMPLATES}/nspin.bash`, {
      commands: table(4, bash),
      profiled: profiled.join(" "),
      names: all.map(({ name }) => name).join(" "),
    }),
    _nspin: fill(`${TEMPLATES}/_nspin`, {
      profiled: profiled.join("|"),
      commands: table(0, zsh),
      descriptions: indented(
        4,
        all.map(({ name, command }) => quoted(`${name}:${command.meta.description}`)),
      ),
    }),
    "nspin.fish": fill(`${TEMPLATES}/nspin.fish`, {
      profiled: profiled.join(" "),
      commands: table(8, fish),
      descriptions: indented(
        4,
        all.map(({ name, command }) => `echo ${name}\\t${inFish(command.meta.description ?? "")}`),
      ),
    }),
  };
}
