// What citty's runtime costs a start: docs/decisions/citty.md. Two programs that differ in that
// alone, in turn; the medians, and the median of the differences, in milliseconds.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../build/bundle.ts";
import { spread } from "./spread.ts";

const RUNS = 301;
const PROGRAMS = {
  without: "console.log(1);",
  citty: `import { defineCommand, runCommand } from "citty";
    await runCommand(defineCommand({ run() { console.log(1); } }), { rawArgs: process.argv.slice(2) });`,
};

const directory = mkdtempSync(join(tmpdir(), "nspin-citty-"));
try {
  const files = Object.entries(PROGRAMS).map(([name, text]) => [join(directory, name), text] as const);
  for (const [file, text] of files) {
    await Bun.write(`bench/.${process.pid}.ts`, text); // where citty is found
    await compile([`bench/.${process.pid}.ts`], file);
  }
  const times = files.map((): number[] => []);
  for (let run = 0; run < RUNS; run++) {
    files.forEach(([file], i) => {
      const start = Bun.nanoseconds();
      Bun.spawnSync([file]);
      times[i]?.push((Bun.nanoseconds() - start) / 1e6);
    });
  }
  const [without = [], citty = []] = times;
  const median = (values: number[]) => spread(values).median.toFixed(2);
  console.log(`without ${median(without)}, with ${median(citty)}`);
  console.log(`each ${median(citty.map((time, i) => time - (without[i] as number)))} more`);
} finally {
  rmSync(directory, { recursive: true });
  rmSync(`bench/.${process.pid}.ts`, { force: true });
}
