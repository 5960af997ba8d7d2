// What help prints of the commands' tables, whatever is in them.
import { describe, expect, test } from "bun:test";
import { overview, page } from "../../src/commands/help.ts";
import { commands as lazy } from "../../src/commands/index.ts";

const commands = await Promise.all(
  Object.entries(lazy).map(async ([name, load]) => [name, await load()] as const),
);
const shown = commands.filter(([, { meta }]) => !meta.hidden);
const longest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

test.each([40, 60, 80, 132])("the commands, in %d columns", async (columns) => {
  const text = await overview(lazy, columns);
  expect(longest(text)).toBeLessThanOrEqual(columns);
  for (const [name, { meta }] of commands)
    expect([name, text.includes(`\n  ${name} `) || text.includes(`\n  ${name}\n`)]).toEqual([
      name,
      !meta.hidden,
    ]);
});

describe.each(shown)("%s", (name, command) => {
  const text = page(name, command, 80);

  test("fits into 80 columns", () => expect(longest(text)).toBeLessThanOrEqual(80));

  test.each([40, 50, 60, 132])("its prose fits into %d columns", (columns) => {
    const examples = command.examples.length + 1;
    const prose = page(name, { ...command, examples: [] }, columns);
    expect(longest(prose)).toBeLessThanOrEqual(columns);
    expect(page(name, command, columns).split("\n").length).toBe(prose.split("\n").length + examples + 1);
  });

  test("has a sentence, an example and what the exit statuses are", () => {
    expect(command.meta.name).toBe(name);
    expect(command.meta.description).toMatch(/^[A-Z].*[^.]$/);
    expect(text).toContain(`Usage: nspin ${name} ${command.usage}`.trim().slice(0, 60));
    expect(command.examples[0]).toMatch(new RegExp(`^nspin ${name}\\b`));
    expect(text).toMatch(/\n {2}125 /);
  });

  test("has each option once, as it is given", () => {
    for (const [option, { type, ...row }] of Object.entries(command.args)) {
      if (type === "positional") continue;
      const isTakenAway = type === "boolean" && "default" in row && row.default === true;
      const word = isTakenAway ? `--no-${option}` : `--${option}`;
      expect([word, text.match(new RegExp(`^ {2}(?:-., | {4})${word}(?= |\\[=|$)`, "gm"))?.length]).toEqual([
        word,
        1,
      ]);
    }
  });
});
