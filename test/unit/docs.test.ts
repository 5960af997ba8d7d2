// What the documents show is what the tests run, or what was measured.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { toSvg } from "../../bench/chart.ts";
import { withBlock } from "../../bench/document.ts";
import { judge } from "../../bench/figures.ts";
import bench from "../../docs/bench.json";
import { actionTable } from "../method/actions.ts";

test("docs/methods.md has the table of what the host may do", () => {
  expect(readFileSync("docs/methods.md", "utf8")).toContain(actionTable());
});

test("the README shows the figures of docs/bench.json", () => {
  const readme = readFileSync("README.md", "utf8");
  expect(readme).toBe(withBlock(readme, bench as Parameters<typeof withBlock>[1]));
});

test("docs/bench.svg shows them too", async () => {
  expect(readFileSync("docs/bench.svg", "utf8")).toBe(await toSvg(bench));
});

test("the judgements in docs/bench.json follow from its figures", () => {
  expect(bench.judged as ReturnType<typeof judge>).toEqual(judge(bench as Parameters<typeof judge>[0]));
});
