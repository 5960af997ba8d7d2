// What the documents show is what the tests run.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { actionTable } from "../method/actions.ts";

test("docs/methods.md has the table of what the host may do", () => {
  expect(readFileSync("docs/methods.md", "utf8")).toContain(actionTable());
});
