// What `npm run release` made. Each file runs here: that of another machine, of a
// CPU without AVX2, and of musl, by qemu-user.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { $ } from "bun";
import { emulatorOf, type Machine, TARGETS, type Target } from "../../build/target.ts";
import { version } from "../../package.json";

const RELEASE = resolve("dist/release");
const machines: Machine[] = ["x64", "arm64"];
const cpu = { x64: "Nehalem", arm64: "neoverse-n1" };
const directory = mkdtempSync(join(tmpdir(), "nspin-release-"));

test("SHA256SUMS is of every target", async () => {
  const files = (Object.keys(TARGETS) as Target[]).map((target) => `nspin-linux-${target}`);
  expect(readdirSync(RELEASE).sort()).toEqual(["SHA256SUMS", ...files].sort());
  expect((await $`sha256sum --check --strict SHA256SUMS`.cwd(RELEASE).text()).split("\n").length - 1).toBe(
    files.length,
  );
});

test("the emulated x86-64 has no AVX2", async () => {
  const program = join(directory, "avx2");
  const source = Buffer.from('int main(void) { __asm__("vpaddd %ymm0, %ymm0, %ymm0"); return 0; }');
  await $`cc -xc - -o ${program} < ${source}`;
  const SIGILL = 128 + 4;
  expect((await $`qemu-x86_64 -cpu ${cpu.x64} ${program}`.quiet().nothrow()).exitCode).toBe(SIGILL);
  expect((await $`qemu-x86_64 -cpu max ${program}`.nothrow()).exitCode).toBe(0);
});

describe.each(Object.entries(TARGETS) as [Target, Machine][])("%s", (target, machine) => {
  const nspin = [...emulatorOf(target, cpu), join(RELEASE, `nspin-linux-${target}`)];

  test("runs, guarded", async () => {
    const env = { ...process.env, BUN_BE_BUN: "1" };
    const printed = await $`${nspin} --version`.env(env).text();
    expect(printed).toBe(`nspin ${version} (Bun ${Bun.version}, linux-${machine})\n`);
  });

  test.each(machines)("bakes the launcher for %s that dist/nspin bakes", async (arch) => {
    const [ours, theirs] = [join(directory, `${target}-${arch}`), join(directory, `own-${arch}`)];
    const words = ["--netns", "a", "--arch", arch, "-o"];
    await $`${nspin} bake ${words} ${ours} true && dist/nspin bake ${words} ${theirs} true`;
    expect(readFileSync(ours).equals(readFileSync(theirs))).toBeTrue();
  });
});
