// The options of a table, each once, as the help, the man pages and the completions show them.
import type { ArgsDef, BooleanArgDef, EnumArgDef } from "citty";

interface OptionRow {
  /** "--verbose"; of an option that is on by default, what takes it away: "--no-etc". */
  readonly long: string;
  readonly short?: string | undefined;
  /** With its value: "--netns ID", "--wait[=DURATION]". */
  readonly shown: string;
  /** What the word after it is; undefined where none belongs to it. */
  readonly value?: string | undefined;
  /** The words that its value can be. */
  readonly choices: readonly string[];
  readonly description: string;
}

export function optionRows(args: ArgsDef): OptionRow[] {
  return Object.entries(args).flatMap(([name, row]) => {
    if (row.type === "positional") return [];
    const { alias, default: preset, description = "" } = row as BooleanArgDef;
    const short = alias === undefined ? undefined : `-${alias}`;
    if (row.type === "boolean") {
      const { negativeDescription, valueHint } = row;
      const isTakenAway = preset === true;
      const long = isTakenAway ? `--no-${name}` : `--${name}`;
      return {
        long,
        short,
        shown: valueHint === undefined ? long : `${long}[=${valueHint}]`,
        choices: [],
        description: isTakenAway ? `${negativeDescription}; by default: ${description}` : description,
      };
    }
    const choices = row.type === "enum" ? ((row as EnumArgDef).options ?? []) : [];
    const value = row.valueHint ?? choices.join("|");
    const isSaid = preset === undefined || description.includes("by default");
    return {
      long: `--${name}`,
      short,
      shown: `--${name} ${value}`,
      value,
      choices,
      description: isSaid ? description : `${description} (default: ${preset})`,
    };
  });
}
