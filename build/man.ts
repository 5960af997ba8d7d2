// The man pages: packaging/man/nspin.8, and one for each command of what its help says, with
// packaging/man/COMMAND.mdoc in its description. mdoc(7).
import { existsSync, readFileSync } from "node:fs";
import { type Command, shownOf } from "../src/commands/command.ts";
import { CANNOT, wrap } from "../src/commands/help.ts";
import { commands } from "../src/commands/index.ts";
import { optionRows } from "../src/commands/option-rows.ts";
import { STATUSES } from "../src/contract.ts";
import { fill } from "./template.ts";

const PROSE = "packaging/man";
/** Without these no other command has a use for a page. */
const WITHOUT_PAGE = ["help", "version"];

/** By their file's name. date: what the pages say that they are of. */
export async function manPages(date: Date): Promise<Record<string, string>> {
  const shown = await shownOf(commands);
  const paged = shown.filter(([name]) => !WITHOUT_PAGE.includes(name));
  const day = date.toLocaleDateString("en-US", { timeZone: "UTC", dateStyle: "long" });
  const rows = shown.map(([name, { meta }]) => `.It Cm ${name}\n${text(sentence(meta.description))}`);
  const pages = paged.map(([name]) => `.Xr nspin-${name} 8`).sort();
  const main = fill(`${PROSE}/nspin.8`, {
    date: day,
    commands: rows.join("\n"),
    pages: pages.join(" ,\n"),
  });
  return {
    "nspin.8": main,
    ...Object.fromEntries(paged.map(([name, command]) => [`nspin-${name}.8`, page(name, command, day)])),
  };
}

function page(name: string, { meta, usage, args, statuses, examples }: Command, day: string): string {
  const description = meta.description ?? "";
  const options = optionRows(args).map(({ short, shown, description }) => {
    const words = (short === undefined ? [shown] : [short, shown]).map(markUp).join(", ");
    return `.It ${words}\n${text(sentence(description))}`;
  });
  const all = Object.entries({ ...statuses, [STATUSES.CANNOT]: CANNOT });
  const prose = `${PROSE}/${name}.mdoc`;
  const lines = [
    `.Dd ${day}`,
    `.Dt NSPIN-${name.toUpperCase()} 8`,
    ".Os",
    ".Sh NAME",
    `.Nm nspin-${name}`,
    `.Nd ${text(description.charAt(0).toLowerCase() + description.slice(1))}`,
    ".Sh SYNOPSIS",
    `.Nm nspin ${name}`,
    ...(usage === "" ? [] : wrap(markUp(usage), 78)),
    ".Sh DESCRIPTION",
    text(sentence(description)),
    ...(existsSync(prose) ? [readFileSync(prose, "utf8").trimEnd()] : []),
    ...(options.length === 0 ? [] : [".Sh OPTIONS", ".Bl -tag -width Ds", ...options, ".El"]),
    ".Sh EXIT STATUS",
    ".Bl -tag -width other",
    ...all.map(([status, means]) => `.It ${status}\n${text(sentence(means))}`),
    ".El",
    ".Sh EXAMPLES",
    ".Bd -literal -offset indent",
    ...examples.map(literal),
    ".Ed",
    ".Sh SEE ALSO",
    ".Xr nspin 8",
  ];
  return `${lines.join("\n")}\n`;
}

/** Of the tables' texts, which begin small or not, and have no full stop. */
function sentence(words = ""): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** As roff(7) prints it: each sentence on a line of its own, none taken for a request. */
function text(words: string): string {
  const sentences = literal(words).split(/(?<=\.) (?=[A-Z])/);
  return sentences
    .flatMap((one) => wrap(one, 78))
    .map(plain)
    .join("\n");
}

function literal(line: string): string {
  return plain(line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq"));
}

/** Not a request. */
function plain(line: string): string {
  return line.replace(/^\./, "\\&.");
}

/** Options in bold, what stands for a value in italics. */
function markUp(usage: string): string {
  return usage.replaceAll(/(?<![A-Za-z])(--?[a-z][a-z-]*|--(?=\]))|[A-Z][A-Z]+|\b[a-z0-9]+\b/g, (word) =>
    /^[A-Z]/.test(word) ? `\\fI${word}\\fP` : `\\fB${literal(word)}\\fP`,
  );
}
