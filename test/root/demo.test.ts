// What the README shows of `npm run demo` is what that prints.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { $ } from "bun";

test("npm run demo prints the README's table", async () => {
  const printed = await $`sh test/shared-root.sh ${process.execPath} test/demo.ts`.text();
  const rows = [...printed.matchAll(/^│(.*)│$/gm)].map(([, row = ""]) =>
    row.split("│").map((cell) => cell.trim()),
  );
  const [head = [], ...shown] = readFileSync("README.md", "utf8")
    .split("\n")
    .filter((line) => /^(?: {10,}host|before|during|after) /.test(line))
    .map((line) => line.split(/ {2,}/));
  expect(rows[0]).toEqual(head);
  const mounts = rows[1]?.at(-1) as string; // as many as this machine has, all the time
  expect(rows.slice(1)).toEqual(shown.map((row) => [...row.slice(0, -1), mounts]));
});
