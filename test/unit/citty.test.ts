// What citty's runtime does with nspin's own tables: why it does not read them, docs/decisions/citty.md.
import { describe, expect, test } from "bun:test";
import { defineCommand, parseArgs, renderUsage, runCommand } from "citty";
import { readRun, runArgs } from "../../src/arguments.ts";

describe("parseArgs", () => {
  test("takes an option of the program's for nspin's", () => {
    const words = ["--netns", "a", "ls", "--no-keep"];
    expect(parseArgs(words, runArgs)).toMatchObject({ _: ["ls"], keep: false });
    expect(readRun(words)).toMatchObject({ program: ["ls", "--no-keep"], keep: true });
  });

  test.each(["--nets", "--no-frills"])("takes %s", (option) => {
    const words = ["--netns", "a", option, "ls"];
    expect(parseArgs(words, runArgs)).toMatchObject({ netns: "a" });
    expect(() => readRun(words)).toThrow(`unknown option "${option}"`);
  });

  test("keeps the last --bind", () => {
    const words = ["--bind", "a:/b", "--bind", "c:/d", "ls"];
    expect(parseArgs(words, runArgs)).toMatchObject({ bind: "c:/d" });
    expect(readRun(words).bind).toHaveLength(2);
  });
});

test("runCommand drops what a subcommand returns", async () => {
  const main = defineCommand({ subCommands: { inner: defineCommand({ run: () => 7 }) } });
  expect(await runCommand(main, { rawArgs: ["inner"] })).toEqual({ result: undefined });
});

test("renderUsage does not wrap", async () => {
  const usage = await renderUsage(defineCommand({ meta: { name: "run" }, args: runArgs }));
  expect(Math.max(...usage.split("\n").map((line) => Bun.stringWidth(line)))).toBeGreaterThan(150);
});

test("defineCommand returns what it is given", () => {
  const command = { meta: { name: "run" }, args: runArgs };
  expect<unknown>(defineCommand(command)).toBe(command);
});
