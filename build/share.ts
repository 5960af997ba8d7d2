// What /usr/share has of the commands: completions and man pages, from the tables of src/commands/ -> dist/completions, dist/man.
import { $ } from "bun";
import { completions } from "./completions.ts";
import { manPages } from "./man.ts";
import { commitDate } from "./source-date.ts";

await $`rm -rf dist/completions dist/man`;
for (const [file, text] of Object.entries(await completions()))
  await Bun.write(`dist/completions/${file}`, text);
for (const [file, text] of Object.entries(await manPages(await commitDate())))
  await Bun.write(`dist/man/${file}`, text);
