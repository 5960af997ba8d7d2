// Figures and judgements in Markdown: what docs/measured.md shows.
import type { Again } from "./again.ts";
import type { ColdName } from "./cold.ts";
import { COLD_NAMES, type Figures, HOST_NAMES, type Judgement, LEAST_MEMORY } from "./figures.ts";
import { NAMES, type Name } from "./names.ts";
import { REST_S } from "./rested.ts";

const MARKS = /(<!-- bench: [^>]* -->\n).*?(<!-- end -->)/s;

export interface Report extends Figures {
  readonly judged: readonly Judgement[];
}

export function toMarkdown({
  machine,
  starts,
  rested,
  leftOut,
  mounts,
  launches,
  memory,
  window,
  again,
  judged,
}: Report): string {
  const others = Object.entries(leftOut).map(([name, why]) => `${NAMES[name as Name]}: not run, ${why}.\n`);
  return `![Median of a start by each, in ms](bench.svg)

${bySpeed("a program that exits, by", starts)}
${others.join("")}${machine.rounds} rounds, ${machine.cpus} CPUs (${machine.processor}), Linux ${machine.kernel}.

${bySpeed(`one start each ${REST_S} s, by`, rested)}
The rejoin window: median ${window.median.toFixed(1)} us, 95 % ${window.high.toFixed(1)} us.

${table(
  ["more mounts on the host", "unshare and exec, ms", "launcher, ms", "`run --enter setns`, ms"],
  mounts.map((row) => [String(row.mounts), ms(row.bare), ms(row.launcher), ms(row.setns)]),
)}
${table(
  ["launch", "launcher, rejoin, ms", "launcher, pin, ms", "published program, ms"],
  launches.map((row) => [String(row.launch), ms(row.rejoin), ms(row.pin), ms(row.published)]),
)}
${table(
  ["", "peak memory, MiB"],
  Object.entries(memory).map(([name, peak]) => [
    NAMES[name as Name],
    peak < LEAST_MEMORY ? `below ${LEAST_MEMORY / 1024}` : mib(peak),
  ]),
)}
A plain /etc/resolv.conf is renamed over 50 times a second, 1000 times, while a program with a
keeper reads it in a tight loop. Until it reads its own again, from the end of the rename(2):

${table(
  ["", "median us", "99 % us", "worst us"],
  [
    ["idle, but for that loop", ...triple(again.idle)],
    ["a loop on each CPU beside it", ...triple(again.busy)],
    ["rename(2) itself, while which nothing can cover the name", ...triple(again.rename)],
  ],
)}
![How many of the covers are back after how long](again.svg)

Of ${again.reads.all} reads ${((100 * again.reads.wrong) / again.reads.all).toFixed(2)} % saw the host's file. Of ${again.many.programs} programs at once,
with ${again.many.renames} renames, one each second, ${again.many.lost} had not their own file again at the end.

${table(
  ["", "measured", "at most", ""],
  judged.map(({ what, measured, limit, unit, holds }) => [
    what,
    ...[measured, limit].map((value) => number(value, unit)),
    holds ? "met" : "**missed**",
  ]),
)}`;
}

const UNMEASURED =
  "Not measured yet for this version: `npm run bench -- cold host --write`, on a quiet machine, puts the figures here.\n";

/** What docs/first-start.md shows. */
export function toFirstStart({ cold, host, machine }: Report): string {
  const ofCold =
    cold &&
    `![Until the program runs, from a cold disk, in ms](first-start.svg)

${table(
  ["first start, by", "ms", "waits", "reads", "KiB", "the second, ms"],
  Object.entries(cold)
    .sort(([, a], [, b]) => a.first.median - b.first.median)
    .map(([name, { first, again, waits, reads, kib }]) => [
      COLD_NAMES[name as ColdName],
      ...[first.median.toFixed(1), String(waits), String(reads), String(kib), ms(again.median)],
    ]),
)}
Medians of 10 rounds, in turn, ${machine.cpus} CPUs (${machine.processor}), Linux ${machine.kernel}.
`;
  const ofHost =
    host &&
    `![Until all programs run, in ms](host.svg)

${table(
  ["tasks at once", "by", "cold disk, ms", "again, ms", "processor for each, ms", "peak memory, MiB"],
  host.map(({ tasks, by, cold: first, warm, processor, memory }) => [
    String(tasks),
    HOST_NAMES[by],
    ...[first.toFixed(0), warm.toFixed(1), ms(processor), mib(memory)],
  ]),
)}`;
  const parts = [ofCold, ofHost].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join("\n") : UNMEASURED;
}

/** Each document, and what stands between its marks. */
export function toDocuments(report: Report): Record<string, string> {
  return { "docs/measured.md": toMarkdown(report), "docs/first-start.md": toFirstStart(report) };
}

export function withBlock(document: string, block: string): string {
  if (!MARKS.test(document)) throw new Error("the document has no place for the benchmark");
  return document.replace(MARKS, (_, begin, end) => `${begin}${block}${end}`);
}

function bySpeed(what: string, starts: Figures["starts"]): string {
  return table(
    [what, "median ms", "least ms", "95 % ms"],
    Object.entries(starts)
      .sort(([, a], [, b]) => a.median - b.median)
      .map(([name, { median, least, high }]) => [NAMES[name as Name], ...[median, least, high].map(ms)]),
  );
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |\n`)
    .join("");
}

function ms(value: number): string {
  return value.toFixed(2);
}

function mib(kib: number): string {
  return (kib / 1024).toFixed(1);
}

function triple({ median, most99, worst }: Again): string[] {
  return [median, most99, worst].map(String);
}

function number(value: number, unit: Judgement["unit"]): string {
  return unit === "KiB" || unit === "us"
    ? `${Math.ceil(value)} ${unit}`
    : `${value.toFixed(2)} ${unit}`.trim();
}
