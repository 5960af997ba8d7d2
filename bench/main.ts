// What a start costs, by nspin and by others: `npm run bench`, in a mount namespace
// of its own whose / is shared. With --write, what the documents show. Of parts, by name: the others'
// figures stay as they were written last.

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, release } from "node:os";
import { resolve } from "node:path";
import { $ } from "bun";
import before from "../docs/bench.json";
import { byRenames } from "./again.ts";
import { toCharts } from "./chart.ts";
import { readCold } from "./cold.ts";
import { type Disk, makeDisk } from "./disk.ts";
import { toDocuments, toFirstStart, toMarkdown, withBlock } from "./document.ts";
import { type Figures, judge } from "./figures.ts";
import { startHosts } from "./host.ts";
import { byLaunches } from "./launches.ts";
import { peaks } from "./memory.ts";
import { byMounts } from "./mounts.ts";
import type { Name } from "./names.ts";
import { afterRest } from "./rested.ts";
import { spread, spreads } from "./spread.ts";
import { makeStage, type Stage } from "./stage.ts";
import { timeInTurn } from "./time.ts";

const ROUNDS = 10;
const RUNS = 30; // in each

type Part = (stage: Stage, disk: () => Promise<Disk>) => Promise<Partial<Figures>>;
const parts: Record<string, Part> = {
  starts: async (stage) => {
    const times = await timeInTurn<Name>(stage, stage.commands, ROUNDS, RUNS, stage.undo);
    return {
      starts: spreads(times),
      leftOut: stage.leftOut,
    };
  },
  rested: async (stage) => ({ rested: await afterRest(stage) }),
  window: async (stage) => ({ window: await rejoinWindow(stage) }),
  mounts: async (stage) => ({ mounts: await byMounts(stage) }),
  launches: async (stage) => ({ launches: await byLaunches(stage) }),
  memory: async (stage) => ({ memory: await peaks(stage) }),
  again: async (stage) => ({ again: await byRenames(stage) }),
  // From here on, the disk's network namespaces are in the mount table: 400 mounts more.
  cold: async (_, disk) => ({ cold: await readCold(await disk()) }),
  host: async (_, disk) => ({ host: await startHosts(await disk()) }),
};
const words = process.argv.slice(2).filter((word) => word !== "--write");
if (words.some((word) => !Object.hasOwn(parts, word))) {
  console.error(`usage: npm run bench -- [${Object.keys(parts).join("|")}]... [--write]`);
  process.exit(2);
}

const own = mkdtempSync(resolve("dist/bench-"));
let disk: Disk | undefined;
try {
  const stage = await makeStage(own);
  const processors = cpus();
  const machine = {
    kernel: release().replace(/-.*/, ""),
    cpus: processors.length,
    processor: processors[0]?.model ?? "unknown",
    rounds: ROUNDS,
  };
  let figures = { ...(before as Figures), machine };
  for (const name of words.length > 0 ? words : Object.keys(parts)) {
    console.error(`bench: ${name}`);
    const measured = await parts[name]?.(stage, async () => (disk ??= await makeDisk(stage)));
    figures = { ...figures, ...measured };
  }
  const report = { ...figures, judged: judge(figures) };
  console.log(toMarkdown(report), toFirstStart(report));
  const directory = process.argv.includes("--write") ? "docs" : "dist";
  await Bun.write(`${directory}/bench.json`, `${JSON.stringify(report, null, 2)}\n`);
  for (const [file, svg] of Object.entries(await toCharts(report)))
    await Bun.write(`${directory}/${file}`, svg);
  if (directory === "docs")
    for (const [file, text] of Object.entries(toDocuments(report)))
      await Bun.write(file, withBlock(await Bun.file(file).text(), text));
} finally {
  await disk?.end();
  rmSync(own, { recursive: true });
}

/** Microseconds between the two calls in which a mount of the host's could be missed. */
async function rejoinWindow({ tools }: Stage) {
  const nanoseconds = (await $`${tools.window} ${own}`.text()).trim().split("\n").map(Number);
  return spread(nanoseconds.map((length) => length / 1000));
}
