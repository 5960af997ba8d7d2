// How long until a cover is back after the host's rename, and what a program sees meanwhile.
import { cpus } from "node:os";
import { $ } from "bun";
import { HOST_FILE, SOURCE_TEXT, type Stage } from "./stage.ts";

const FILE = "/etc/resolv.conf";
const RENAMES = 1000;
const HERTZ = 50;
const PROGRAMS = 200;
const ROUNDS = 10;

/** Microseconds. */
export interface Again {
  readonly median: number;
  readonly most99: number;
  readonly worst: number;
  /** The 0th to the 100th percentile. */
  readonly percentiles: readonly number[];
}

export interface AgainFigures {
  /** From the end of the rename(2) until the program reads its own file again. */
  readonly idle: Again;
  /** The same while a loop runs on each CPU. */
  readonly busy: Again;
  /** How long rename(2) itself takes, in which nobody can cover the name. */
  readonly rename: Again;
  /** Of the reads of a program that reads in a tight loop. */
  readonly reads: { readonly all: number; readonly wrong: number };
  readonly many: { readonly programs: number; readonly renames: number; readonly lost: number };
}

/** On a plain file, by a launcher with its keeper. */
export async function byRenames(stage: Stage): Promise<AgainFigures> {
  await $`rm ${FILE} && cp ${HOST_FILE} ${FILE}`;
  const idle = await storm(stage);
  const loops = cpus().map(() => Bun.spawn(["sh", "-c", "while :; do :; done"]));
  const busy = await storm(stage);
  for (const loop of loops) loop.kill();
  const many = await crowd(stage);
  await $`ln -sf ..${HOST_FILE} ${FILE}`;
  const { times, renames, reads } = idle;
  return { idle: again(times), busy: again(busy.times), rename: again(renames), reads, many };
}

async function storm({ kept, tools }: Stage) {
  const seconds = RENAMES / HERTZ + 5;
  const program = Bun.spawn([kept, tools.again, "read", FILE, SOURCE_TEXT, String(seconds)], {
    stdout: "pipe",
  });
  await Bun.sleep(500);
  const host = await $`${tools.again} rename ${FILE} ${RENAMES} ${HERTZ}`.text();
  const seen = pairs(await new Response(program.stdout).text());
  const [all = 0, wrong = 0] = seen.pop() ?? [];
  const renames = pairs(host);
  // What was never seen to be wrong was back at once.
  const times = renames.map(([begin, end], i) => {
    const next = renames[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    const back = seen.find(([since, until]) => until >= begin && since < next)?.[1] ?? end;
    return Math.max(0, Math.min(back, next) - end);
  });
  return { times, renames: renames.map(([begin, end]) => end - begin), reads: { all, wrong } };
}

/** Many programs at once: whose cover is not back after the last rename? */
async function crowd({ kept, tools }: Stage) {
  const seconds = ROUNDS + 20;
  const all = Array.from({ length: PROGRAMS }, () =>
    Bun.spawn([kept, tools.again, "once", FILE, SOURCE_TEXT, String(seconds)], { stdout: "pipe" }),
  );
  await Bun.sleep(5000);
  await $`${tools.again} rename ${FILE} ${ROUNDS} 1`.quiet();
  let lost = 0;
  for (const program of all) {
    const [reads = 0, wrong = 0] = pairs(await new Response(program.stdout).text()).pop() ?? [];
    if (reads === 0 || wrong >= reads) lost++;
  }
  return { programs: PROGRAMS, renames: ROUNDS, lost };
}

function pairs(text: string): [number, number][] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number) as [number, number]);
}

function again(list: readonly number[]): Again {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] as number);
  const percentiles = Array.from({ length: 101 }, (_, i) => at(i / 100));
  return { median: at(0.5), most99: at(0.99), worst: at(1), percentiles };
}
