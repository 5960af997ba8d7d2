// The man pages and completions that are made of the commands' tables.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { completions } from "../../build/completions.ts";
import { manPages } from "../../build/man.ts";
import { shownOf } from "../../src/commands/command.ts";
import { commands } from "../../src/commands/index.ts";
import { optionRows } from "../../src/commands/option-rows.ts";
import { STATUSES } from "../../src/contract.ts";

const pages = await manPages(new Date(0));
const scripts = await completions();
const shown = await shownOf(commands);

async function inFiles(texts: Record<string, string>, check: (directory: string) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), "nspin-pages-"));
  try {
    for (const [file, text] of Object.entries(texts)) await Bun.write(join(directory, file), text);
    await check(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("mandoc has nothing to say of the pages", () =>
  inFiles(pages, async (directory) => {
    const said = (await $`mandoc -Tlint ${Object.keys(pages)}`.cwd(directory).nothrow().quiet()).stdout;
    const found = said
      .toString()
      .split("\n")
      .filter((line) => line !== "" && !/STYLE: referenced manual not found/.test(line)); // those that are not installed here
    expect(found).toEqual([]);
    await Bun.write(join(directory, "bad"), `${pages["nspin.8"]}.Xq\n`);
    expect((await $`mandoc -Tlint bad`.cwd(directory).nothrow().text()).toString()).toContain(
      "unknown macro",
    );
  }));

test("each page that one refers to is there", () => {
  for (const [file, text] of Object.entries(pages))
    for (const [, name] of text.matchAll(/^\.Xr (nspin[^ ]*) 8/gm))
      expect([file, Object.hasOwn(pages, `${name}.8`)]).toEqual([file, true]);
});

test("nspin.8 has the sections that are looked for, and each command", () => {
  const sections = pages["nspin.8"]?.matchAll(/^\.Sh (.*)/gm).map(([, name]) => name);
  expect([...(sections ?? [])]).toEqual(
    expect.arrayContaining([
      "ENVIRONMENT",
      "FILES",
      "EXIT STATUS",
      "EXAMPLES",
      "SEE ALSO",
      "SECURITY CONSIDERATIONS",
    ]),
  );
  for (const [name] of shown) expect(pages["nspin.8"]).toContain(`.It Cm ${name}\n`);
});

test("nspin.8 has each exit status", () => {
  for (const status of Object.values(STATUSES)) expect(pages["nspin.8"]).toContain(`\n.It ${status}\n`);
});

test.each(shown)("%s: each option is in its page, and in each shell's completions", (name, { args }) => {
  const page = pages[`nspin-${name}.8`]?.replaceAll("\\-", "-").replaceAll(/\\f[BIP]/g, "") ?? "";
  for (const { long, short, shown } of optionRows(args)) {
    expect(page.split("\n")).toContain(`.It ${short === undefined ? "" : `${short}, `}${shown}`);
    for (const [file, script] of Object.entries(scripts))
      expect([file, long, script.includes(long)]).toEqual([file, long, true]);
  }
});

test("the shells can read them", () =>
  inFiles(scripts, async (directory) => {
    await $`bash -n nspin.bash && shellcheck --severity=warning nspin.bash`.cwd(directory);
    await $`zsh -n _nspin && fish --no-execute nspin.fish`.cwd(directory);
  }));
