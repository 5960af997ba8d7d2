// docs/operate.md: each of its commands, and what it prints.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { $ } from "bun";
import { KINDS, STATES } from "../../src/observe/findings.ts";
import { fenced } from "../kit/document.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { until } from "../kit/until.ts";
import { json, makeTasks } from "./tasks.ts";

const DOCUMENT = "docs/operate.md";

let end: () => Promise<void>;
let shell: Program;
beforeAll(async () => {
  end = await makeTasks(["task1", "task2"]);
  await $`mkdir -p /opt/bin && ln -s ${NSPIN} /opt/bin/nspin`;
  shell = new Program(["env", `PATH=/opt/bin:${process.env.PATH}`]);
});
afterAll(async () => {
  await shell.run("kill $(jobs -p)");
  await shell.end();
  await end();
});

const blocks = [...fenced(DOCUMENT, "console")];
expect(blocks.length).toBeGreaterThan(3);

/** And none of the comments that Prometheus's format has. */
const isCommand = (line: string) => /^# (?!HELP|TYPE)/.test(line);

/** Process ids and times are those of one run. */
const masked = (text: string) =>
  text
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, "TIME")
    .replace(/(?<![\w.:])\d{2,}(?![\w.:])/g, "PID")
    .replace(/ {2,}/g, "  ");

test.each(blocks)("%s", async (_, block) => {
  let printed = "";
  for (const command of block.split("\n").filter(isCommand)) {
    const output = await shell.run(command.slice(2));
    printed += `${command}\n${output === "" ? "" : `${output}\n`}`;
    if (command.endsWith(" &")) await started(command.includes("--no-keep"));
  }
  expect(masked(printed)).toBe(masked(block));
});

/** The program, and its keeper, have come to rest. */
async function started(isAlone: boolean): Promise<void> {
  const count = (await shell.run("jobs -p")).split("\n").length;
  await until(async () => {
    const { printed } = await json("ps");
    const all = printed as { program: string; keeper: number | null }[];
    const last = all.filter(({ program }) => program === "sleep");
    return last.length === count && (isAlone || last.some(({ keeper }) => keeper !== null));
  });
}

test("its table has each finding, in that order, and which of them are states", () => {
  const rows = readFileSync(DOCUMENT, "utf8").matchAll(/^\| `([a-z-]+)` \| (yes|no) \|/gm);
  const states: readonly string[] = STATES;
  expect(rows.map(([, kind, state]) => [kind, state]).toArray()).toEqual(
    KINDS.map(([kind]) => [kind, states.includes(kind) ? "yes" : "no"]),
  );
});
