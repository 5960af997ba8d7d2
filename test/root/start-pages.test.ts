// The first start after boot: the entry guard asks for the pages of the binary that a start touches,
// and only if they are not in the page cache.
import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { compile } from "./compile.ts";
import { files } from "./hello-and-world.ts";
import { start } from "./start.ts";

const { hello, world } = files();
const own = mkdtempSync("/opt/start-pages-"); // on a disk
const binary = join(own, "nspin");
const run = ["run", "--bind", `${world}:${hello}`, "--enter", "setns", "--", "cat", hello];

beforeAll(async () => void (await $`cp ${NSPIN} ${binary} && sync ${binary}`));

/** What the guard asks for, and whether the page that it looks at was there. The runtime asks for more, later. */
async function asked(words: readonly string[], inject: readonly string[] = []) {
  const trace = join(own, "trace");
  const strace = ["strace", "-qq", "-o", trace, ...inject];
  const { status, stdout, stderr } = await start([...strace, binary, ...words]);
  const lines = readFileSync(trace, "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith("mincore("));
  const isOther = (line: string) => !/^(mincore|madvise)\(/.test(line);
  const calls = lines.slice(
    first,
    lines.findIndex((line, i) => i > first && isOther(line)),
  );
  const isThere = calls.filter((line) => line.startsWith("mincore(")).map((line) => line.includes("[1]"));
  const ranges = calls.flatMap((line) => /^madvise\(\w+, (\d+), MADV_WILLNEED\)/.exec(line)?.[1] ?? []);
  const bytes = ranges.reduce((sum, length) => sum + Number(length), 0);
  return { status, stdout, stderr, isThere, calls: ranges.length, mega: bytes / 1e6 };
}

/** posix_fadvise(2): POSIX_FADV_DONTNEED. */
const forget = () => $`dd if=${binary} iflag=nocache count=0`.quiet();

const shown = { status: 0, stdout: "WORLD\n", stderr: "" };

test("from a cold disk they are asked for; at the next start one is looked at, and no more", async () => {
  await forget();
  const cold = await asked(run);
  expect(cold).toMatchObject({ ...shown, isThere: [false] });
  expect(cold.calls).toBeGreaterThan(100);
  expect(cold.mega).toBeWithin(4, 10);
  expect(await asked(run)).toMatchObject({ ...shown, isThere: [true], calls: 0 });
});

test("another command asks for its own too", async () => {
  await forget();
  const { mega } = await asked(run);
  await forget();
  const version = await asked(["--version"]);
  expect(version).toMatchObject({ status: 0, isThere: [false, false] });
  expect(version.mega).toBeGreaterThan(mega + 1);
  expect(await asked(["--version"])).toMatchObject({ status: 0, isThere: [true, true], calls: 0 });
});

test("where mincore(2) is refused, none is asked for", async () => {
  await forget();
  const refused = await asked(run, ["-e", "inject=mincore:error=EPERM"]);
  expect(refused).toMatchObject({ ...shown, calls: 0 });
});

test("where madvise(2) is refused, the program starts as well", async () => {
  await forget();
  const refused = await asked(run, ["-e", "inject=madvise:error=EPERM"]);
  expect(refused).toMatchObject({ ...shown, isThere: [false] });
});

test("under a seccomp filter, which can kill for a call that it does not list, none is asked for", async () => {
  const mincore = process.arch === "arm64" ? "232" : "27";
  await forget();
  expect(await start([compile("refuse"), mincore, "0", binary, ...run])).toMatchObject(shown);
});
