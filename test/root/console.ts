// The documents' consoles: each command, and what it prints.
import type { Program } from "../kit/program.ts";
import { until } from "../kit/until.ts";
import { json } from "./tasks.ts";

/** And none of the comments that Prometheus's format has. */
const isCommand = (line: string) => /^# (?!HELP|TYPE)/.test(line);

/** Process ids and times are those of one run. */
const NUMBER = /(?<![\w.:])\d{2,}(?![\w.:])/g;
const masked = (text: string) =>
  text
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, "TIME")
    .replace(NUMBER, "PID")
    .replace(/ {2,}/g, "  ");

const numbersIn = (text: string): string[] => text.match(NUMBER) ?? [];

/** What the shell prints for the commands of a block, and what the document has; a process id in a command is that of this run. */
export async function play(shell: Program, block: string): Promise<{ printed: string; written: string }> {
  let printed = "";
  const lines = block.split("\n");
  for (const [i, line] of lines.entries()) {
    if (!isCommand(line)) continue;
    const [written, now] = [lines.slice(0, i).join("\n"), printed].map(numbersIn) as [string[], string[]];
    const command = line.replace(NUMBER, (number) => now[written.lastIndexOf(number)] ?? number);
    const output = await shell.run(command.slice(2));
    printed += `${command}\n${output === "" ? "" : `${output}\n`}`;
    if (command.endsWith(" &")) await started(shell, command.includes("--no-keep"));
  }
  return { printed: masked(printed), written: masked(block) };
}

/** The program, and its keeper, have come to rest. */
export async function started(shell: Program, isAlone: boolean): Promise<void> {
  const count = (await shell.run("jobs -p")).split("\n").length;
  await until(async () => {
    const { printed } = await json("ps");
    const all = printed as { program: string; keeper: number | null }[];
    const last = all.filter(({ program }) => program === "sleep");
    return last.length === count && (isAlone || last.some(({ keeper }) => keeper !== null));
  });
}
