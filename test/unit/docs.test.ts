// What the documents show is what the tests run, or what was measured.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { $, Glob } from "bun";
import { toCharts } from "../../bench/chart.ts";
import { type Report, toDocuments, withBlock } from "../../bench/document.ts";
import { judge } from "../../bench/figures.ts";
import { pictures } from "../../build/pictures.ts";
import { schemas } from "../../build/schemas.ts";
import bench from "../../docs/bench.json";
import { findCommand } from "../../src/commands/command.ts";
import { commands } from "../../src/commands/index.ts";
import { optionRows } from "../../src/commands/option-rows.ts";
import { actionTable } from "../method/actions.ts";

const documents = (await $`git ls-files --cached --others --exclude-standard '*.md'`.text())
  .trim()
  .split("\n");

test("docs/methods.md has the table of what the host may do", () => {
  expect(readFileSync("docs/methods.md", "utf8")).toContain(actionTable());
});

test.each([...schemas])("%s is what the commands print: npm run schemas", (file, text) => {
  expect(readFileSync(file, "utf8")).toBe(text);
});

test.each([...pictures])("%s shows what test/method/trees.ts has: npm run pictures", (file, text) => {
  expect(readFileSync(file, "utf8")).toBe(text);
});

const report = bench as Report;

test.each(Object.entries(toDocuments(report)))("%s shows the figures of docs/bench.json", (file, block) => {
  const document = readFileSync(file, "utf8");
  expect(document).toBe(withBlock(document, block));
});

test("the charts show them too", async () => {
  for (const [file, svg] of Object.entries(await toCharts(report)))
    expect([file, readFileSync(join("docs", file), "utf8")]).toEqual([file, svg]);
});

test("the judgements in docs/bench.json follow from its figures", () => {
  expect(report.judged).toEqual(judge(report));
});

test("docs/install.md names the targets that have a list of pages of their own", () => {
  const [, named = ""] =
    /list of its own of the pages[^:]*: ([^.]+)\./.exec(readFileSync("docs/install.md", "utf8")) ?? [];
  const lists = [...new Glob("*.txt").scanSync("build/start-pages")].map((file) => file.slice(0, -4));
  expect(named.split(", ")).toEqual(lists.sort());
});

test("docs/fleet.md: what follows from so many launches, none of them wrong", () => {
  const text = readFileSync("docs/fleet.md", "utf8");
  const rows = [...text.matchAll(/^\| ([\d,]+) \| ([\d,]+) \|$/gm)].map(([, ...cells]) =>
    cells.map((cell) => Number((cell as string).replaceAll(",", ""))),
  );
  const isSoaks = /^Of 960,566 .*\nmillion; of 19,800 by `run`, fewer than 152/m;
  expect(readFileSync("docs/measured.md", "utf8")).toMatch(isSoaks);
  expect(rows.map(([launches]) => launches)).toEqual([1000, 19_800, 960_566, 2_995_732]);
  for (const [launches, most] of rows)
    expect(Math.ceil(1e6 * (1 - 0.05 ** (1 / (launches as number))))).toBe(most as number);
  expect((100 * 0.995 ** 1000).toFixed(1)).toBe("0.7");
});

test.each(documents)("%s: each command line of nspin's is one that it takes", async (document) => {
  const blocks = readFileSync(document, "utf8").matchAll(/^```\w*\n(.*?)^```$/gms);
  const lines = [...blocks].flatMap(([, text = ""]) => text.replaceAll(/\n {6,}(?=\[)/g, " ").split("\n"));
  for (const line of lines) {
    const [, name, words = ""] = /^(?:sudo )?nspin ([a-z]+)(.*)/.exec(line) ?? [];
    if (name === undefined) continue;
    const { args } = await findCommand(commands, name);
    const own = words.replace(/ #.*| \[?--\]? .*/, "");
    const takes = optionRows(args).flatMap(({ long, short }) => [long, short]);
    for (const [, option] of own.matchAll(/[ [|](--?[a-z][a-z-]*)/g))
      expect([line, takes.includes(option)]).toEqual([line, true]);
  }
});

test("each link in a document leads to a file, and to a heading in it", async () => {
  expect(documents.length).toBeGreaterThan(5);
  for (const document of documents) {
    const links = readFileSync(document, "utf8").matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g);
    for (const [, link = "", heading] of links) {
      const file = link === "" ? document : join(dirname(document), link);
      expect([document, link, existsSync(file)]).toEqual([document, link, true]);
      if (heading !== undefined)
        expect([document, headings(file)]).toEqual([document, expect.arrayContaining([heading])]);
    }
  }
});

/** As GitHub makes anchors of them. */
function headings(document: string): string[] {
  const lines = readFileSync(document, "utf8").matchAll(/^#+ (.*)$/gm);
  return [...lines].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}
