// nspin help: the commands, or what one of them takes, as wide as the terminal is.
import * as v from "valibot";
import { description } from "../../package.json";
import { STATUSES } from "../contract.ts";
import { quote, Refusal, tryHelp } from "../errors.ts";
import { terminalColumns } from "../libc.ts";
import { print } from "../print.ts";
import { type Command, type Commands, DONE, findCommand, readOptions, shownOf } from "./command.ts";
import { optionRows } from "./option-rows.ts";

const STDOUT = 1;
const STDERR = 2;
const LEAST_COLUMNS = 40;

export function help(commands: Commands): Command {
  return {
    meta: { name: "help", description: "Print the commands, or what one of them takes" },
    usage: "[COMMAND]",
    examples: ["nspin help run"],
    statuses: DONE,
    args: {},
    async action(words) {
      const { rest } = readOptions({}, v.object({}), words);
      const [name, ...more] = rest;
      if (more[0] !== undefined)
        throw new Refusal(`help takes no second argument ${quote(more[0])}`, tryHelp);
      const columns = terminalColumns(STDOUT);
      print(
        name === undefined
          ? await overview(commands, columns)
          : page(name, await findCommand(commands, name), columns),
      );
      return 0;
    },
  };
}

/** For one who gave no command. */
export async function printOverview(commands: Commands): Promise<void> {
  console.error(await overview(commands, terminalColumns(STDERR)));
}

export async function overview(commands: Commands, columns: number): Promise<string> {
  const rows = (await shownOf(commands)).map(([name, { meta }]) => [name, meta.description ?? ""] as const);
  return [
    "Usage: nspin COMMAND [ARGUMENTS]",
    "",
    ...wrap(description, columns),
    "",
    "Commands:",
    ...table(rows, columns),
    "",
    ...wrap("'nspin help COMMAND' says what one takes; man nspin has more.", columns),
  ].join("\n");
}

export function page(name: string, command: Command, columns: number): string {
  const options = optionRows(command.args).map(({ short, shown, description }): [string, string] => [
    short === undefined ? `    ${shown}` : `${short}, ${shown}`,
    description,
  ]);
  const statuses = Object.entries({ ...command.statuses, [STATUSES.CANNOT]: CANNOT });
  return [
    ...wrap(`Usage: nspin ${name} ${command.usage}`.trim(), columns, "       "),
    "",
    ...wrap(command.meta.description ?? "", columns),
    "",
    ...(options.length > 0 ? ["Options:", ...table(options, columns), ""] : []),
    "Exit status:",
    ...table(statuses, columns),
    ...(command.examples.length > 0 ? ["", "Examples:"] : []),
    ...command.examples.map((example) => `  ${example}`),
  ].join("\n");
}

export const CANNOT = "failed, usage included: nothing was started";

/** Names, each with what it stands for beside it; below it, where the name or the terminal leaves no room. */
function table(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const indent = columns < 60 ? 8 : 2 + Math.min(26, 2 + Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const first = `  ${name}`;
    const lines = wrap(text, columns, " ".repeat(indent), " ".repeat(indent));
    if (first.length + 2 > indent) return [first, ...lines];
    return [first.padEnd(indent) + (lines[0] ?? "").trimStart(), ...lines.slice(1)];
  });
}

export function wrap(text: string, columns: number, indent = "", first = ""): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > Math.max(columns, LEAST_COLUMNS)) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
