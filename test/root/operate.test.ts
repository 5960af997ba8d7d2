// docs/operate.md: each of its commands, and what it prints.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { $ } from "bun";
import { KINDS, STATES } from "../../src/observe/findings.ts";
import { fenced } from "../kit/document.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { play } from "./console.ts";
import { makeTasks } from "./tasks.ts";

const DOCUMENT = "docs/operate.md";

let end: () => Promise<void>;
let shell: Program;
beforeAll(async () => {
  end = await makeTasks(["task1", "task2"]);
  await $`mkdir -p /opt/bin && ln -sfn ${NSPIN} /opt/bin/nspin`;
  shell = new Program(["env", `PATH=/opt/bin:${process.env.PATH}`]);
});
afterAll(async () => {
  await shell.run("kill $(jobs -p)");
  await shell.end();
  await end();
});

const blocks = [...fenced(DOCUMENT, "console")];
expect(blocks.length).toBeGreaterThan(3);

test.each(blocks)("%s", async (_, block) => {
  const { printed, written } = await play(shell, block);
  expect(printed).toBe(written);
});

test("its table has each finding, in that order, and which of them are states", () => {
  const rows = readFileSync(DOCUMENT, "utf8").matchAll(/^\| `([a-z-]+)` \| (yes|no) \|/gm);
  const states: readonly string[] = STATES;
  expect(rows.map(([, kind, state]) => [kind, state]).toArray()).toEqual(
    KINDS.map(([kind]) => [kind, states.includes(kind) ? "yes" : "no"]),
  );
});
