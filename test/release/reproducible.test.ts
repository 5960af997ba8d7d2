// The same sources give the same bytes, in whichever directory they are built; and what
// strip(1) does to them.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { $ } from "bun";
import { version } from "../../package.json";

const clone = resolve("dist/elsewhere/in-a-longer-path/clone");
const compile = () => $`${clone}/node_modules/.bin/bun run --silent compile`.cwd(clone).quiet().nothrow();
const runs = `nspin ${version} (Bun ${Bun.version}, linux-${process.arch})\n`;

beforeAll(() => mkdirSync(clone, { recursive: true }));
afterAll(() => rmSync("dist/elsewhere", { recursive: true }));

test("built again in another directory", async () => {
  await $`git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t ${clone}`;
  await $`cp -al node_modules ${clone}`; // hard links: what is built is found by its path
  const { exitCode, stdout } = await compile();
  expect(exitCode).toBe(0);
  expect(stdout.toString()).not.toContain("not tried"); // the list of pages
  for (const file of ["nspin", "nspin.so", "aside.so", "launcher.ts", "bundles/commands.js"]) {
    const isSame = readFileSync(`dist/${file}`).equals(readFileSync(`${clone}/dist/${file}`));
    expect([file, isSame]).toEqual([file, true]);
  }
}, 240_000);

test.each([
  ["strip", "has no sections"],
  ["strip --strip-debug", "has no sections"],
  ["objcopy --only-keep-debug", "has no sections"],
  ["llvm-strip --strip-all", ""],
  ["eu-strip", ""],
])("%s refuses the binary, or leaves it whole", async (strip, says) => {
  const stripped = `${clone}/stripped`;
  cpSync("dist/nspin", stripped);
  const { stderr, exitCode } = await $`${strip.split(" ")} ${stripped}`.nothrow().quiet();
  expect(stderr.toString()).toContain(says);
  if (says !== "") expect(exitCode).not.toBe(0);
  expect(await $`${stripped} --version`.text()).toBe(runs);
});

test.each([
  ["that lacks what a start touches", /^run .*\n/gm, "pages are not in"],
  ["of another Bun", /^bun ../, "is of another Bun"],
])(
  "a list of pages %s fails the build",
  async (_, part, says) => {
    const list = `${clone}/build/start-pages/${process.arch}.txt`;
    const text = readFileSync(list, "utf8");
    writeFileSync(list, text.replace(part, ""));
    const { exitCode, stderr } = await compile();
    writeFileSync(list, text);
    expect(exitCode).not.toBe(0);
    expect(stderr.toString()).toContain(says);
  },
  120_000,
);
