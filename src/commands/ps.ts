// nspin ps: which programs run under nspin, and what each of them sees.
import { isatty } from "node:tty";
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { log } from "../log.ts";
import { toPsDocument } from "../observe/documents.ts";
import { STATES } from "../observe/findings.ts";
import { takeInventory } from "../observe/inventory.ts";
import { print, printable, printableJson } from "../print.ts";
import { type Command, DONE, flag, readOptions, refuseArgument } from "./command.ts";

const args = {
  json: { type: "boolean", description: "print JSON, as ps.schema.json in /usr/share/doc/nspin has it" },
  watch: { type: "boolean", description: "again every two seconds, until interrupted" },
} as const satisfies ArgsDef;

const Options = v.object({ json: flag("json"), watch: flag("watch") });

const INTERVAL = 2000; // milliseconds
const CLEAR = "\x1b[H\x1b[2J";

export const ps: Command = {
  meta: { name: "ps", description: "Show the programs that run under nspin, and what each of them sees" },
  usage: "[OPTIONS]",
  examples: ["nspin ps", "nspin ps --watch"],
  statuses: DONE,
  args,
  async action(words) {
    const { options, rest } = readOptions(args, Options, words);
    refuseArgument("ps", rest);
    const isCleared = options.watch && !options.json && isatty(1);
    for (let looks = 0; ; looks++) {
      const { programs, hidden } = await takeInventory(false, STATES);
      const rows = toPsDocument(programs);
      const text = options.json ? printableJson(rows, options.watch ? 0 : 2) : toTable(rows);
      print(isCleared ? CLEAR + text : text);
      if (hidden !== undefined && looks === 0)
        log.warn(`cannot look at ${hidden}: run it as root, with CAP_SYS_PTRACE`);
      if (!options.watch) return 0;
      await Bun.sleep(INTERVAL);
    }
  },
};

const HEAD = ["PID", "PROGRAM", "NETNS", "METHOD", "DNS", "KEEPER", "STATE", "SINCE", "FILES"];

function toTable(programs: ReturnType<typeof toPsDocument>): string {
  const none = "-";
  const some = (words: Iterable<string>) => [...new Set(words)].join(",") || none;
  const rows = programs.map((one) => [
    String(one.pid),
    one.program,
    one.netns ?? `net:[${one.netnsInode}]`,
    some(one.covers.map(({ method }) => method)),
    some(one.servers ?? []),
    String(one.keeper ?? none),
    one.state,
    inLocalTime(new Date(one.since)),
    some(one.covers.map(({ target }) => target)),
  ]);
  const table = [HEAD, ...rows].map((row) => row.map(printable));
  const widths = HEAD.map((_, i) => Math.max(...table.map((row) => Bun.stringWidth(row[i] ?? ""))));
  return table
    .map((row) =>
      row
        .map((cell, i) => pad(cell, widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function pad(cell: string, width: number): string {
  return cell + " ".repeat(width - Bun.stringWidth(cell));
}

/** As ls(1) and journalctl(1) have it. */
function inLocalTime(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
