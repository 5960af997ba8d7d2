// What a start costs, by nspin and by others: `npm run bench`, in a mount namespace
// of its own whose / is shared. With --write, what the documents show.

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, release } from "node:os";
import { resolve } from "node:path";
import { $ } from "bun";
import { byRenames } from "./again.ts";
import { toAgainSvg, toSvg } from "./chart.ts";
import { readCold } from "./cold.ts";
import { toMarkdown, withBlock } from "./document.ts";
import { type Figures, judge, type Name, spread } from "./figures.ts";
import { byLaunches } from "./launches.ts";
import { peaks } from "./memory.ts";
import { byMounts } from "./mounts.ts";
import { makeStage, type Stage } from "./stage.ts";
import { timeInTurn } from "./time.ts";

const ROUNDS = 10;
const RUNS = 30; // in each

const own = mkdtempSync(resolve("dist/bench-"));
try {
  const stage = await makeStage(own);
  const times = await timeInTurn<Name>(stage, stage.commands, ROUNDS, RUNS, stage.undo);
  const figures: Figures = {
    machine: { kernel: release().replace(/-.*/, ""), cpus: cpus().length, rounds: ROUNDS },
    starts: Object.fromEntries(Object.entries(times).map(([name, list]) => [name, spread(list)])),
    leftOut: stage.leftOut,
    window: await rejoinWindow(stage),
    mounts: await byMounts(stage),
    launches: await byLaunches(stage),
    memory: await peaks(stage),
    cold: await readCold(stage),
    again: await byRenames(stage),
  };
  const report = { ...figures, judged: judge(figures) };
  console.log(toMarkdown(report));
  const directory = process.argv.includes("--write") ? "docs" : "dist";
  await Bun.write(`${directory}/bench.json`, `${JSON.stringify(report, null, 2)}\n`);
  await Bun.write(`${directory}/bench.svg`, await toSvg(report));
  await Bun.write(`${directory}/again.svg`, await toAgainSvg(report));
  if (directory === "docs")
    await Bun.write("README.md", withBlock(await Bun.file("README.md").text(), report));
} finally {
  rmSync(own, { recursive: true });
}

/** Microseconds between the two calls in which a mount of the host's could be missed. */
async function rejoinWindow({ tools }: Stage) {
  const nanoseconds = (await $`${tools.window} ${own}`.text()).trim().split("\n").map(Number);
  return spread(nanoseconds.map((length) => length / 1000));
}
