// The C side by libFuzzer, with the address and undefined-behaviour sanitizers,
// from a new seed each time. What it finds is printed as base64; again with it:
//   base64 -d > input; dist/fuzz/NAME input
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { $, Glob } from "bun";
import { texts } from "../../build/texts.ts";

const SECONDS = 12;
const sanitize = ["-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"];
// Freestanding as the object is: the kernel's headers say less beside libc's.
const flags = ["-std=gnu11", "-g", "-O1", "-ffreestanding", "-Wall", "-Wextra", "-Werror", ...sanitize];
const harnesses = [...new Glob("test/fuzz/*.c").scanSync()].map((file) => basename(file, ".c"));
// Without what only passes on between the two halves.
const ours = (file: string) => !["ffi/exports.c", "ffi/memory.c"].includes(file);
// Of the keeper's code what starts it, and what it is then.
const starts = ["ffi/keeper/start.c", "ffi/keeper/daemon.c"];
const keeper = [...new Glob("ffi/keeper/*.c").scanSync()];
const more: Record<string, string[]> = {
  launch: starts,
  keeper: keeper.filter((file) => !starts.includes(file)),
};
const sources = [...new Glob("ffi/*.c").scanSync()].filter(ours);
mkdirSync("dist/fuzz", { recursive: true });
await texts();

test.each(harnesses.sort())(
  "%s",
  async (name) => {
    const binary = join("dist/fuzz", name);
    await $`clang ${flags} -include test/fuzz/call.h test/fuzz/${name}.c ${sources} ${more[name] ?? []} -o ${binary}`;
    const own = mkdtempSync(join(tmpdir(), "nspin-fuzz-"));
    const [corpus, found] = [join(own, "corpus"), join(own, "found")];
    for (const directory of [corpus, found]) mkdirSync(directory);
    const limits = [
      "-max_len=9000",
      "-timeout=10",
      `-max_total_time=${SECONDS}`,
      `-artifact_prefix=${found}/`,
    ];
    const run = await $`${binary} ${limits} ${corpus} test/fuzz/corpus/${name}`.quiet().nothrow();
    const said = run.stderr.toString();
    const inputs = readdirSync(found).map((file) => `${file}: ${readFileSync(join(found, file), "base64")}`);
    rmSync(own, { recursive: true });
    if (run.exitCode !== 0) console.log(said.slice(-4000));
    expect({ status: run.exitCode, inputs }).toEqual({ status: 0, inputs: [] });
    console.log(`${name}: ${/^INFO: (Seed: \d+)$/m.exec(said)?.[1]}, ${/^Done.*$/m.exec(said)?.[0]}`);
  },
  120_000,
);
