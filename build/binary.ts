// src/main.ts -> nspin in dist, and a look at what came out.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { $ } from "bun";
import { version } from "../package.json";
import { guard } from "./guard.ts";
import { DIST, IS_NATIVE, TARGET } from "./target.ts";

const BINARY = resolve(DIST, "nspin");
const UNGUARDED = `${BINARY}.unguarded`; // kept: the tests show what the guard is for

// Without --no-compile-autoload-*, a bunfig.toml in the cwd runs code as root.
// Never strip: that turns the binary into the plain bun command.
// --splitting: without it, what only selftest and help import is loaded at every
// launch, whose start then takes 2.5 times an empty program's instead of 1.6.
const FLAGS = ["--compile", "--minify", "--bytecode", "--format=esm", "--splitting"];
const CLOSED = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
const FOR = IS_NATIVE ? [] : [`--target=bun-linux-${TARGET}`, `--conditions=${TARGET}`];
await $`${process.execPath} build ${FLAGS} ${CLOSED} ${FOR} src/main.ts src/unpinned-worker.ts --outfile ${UNGUARDED}`.quiet();
await guard(UNGUARDED, BINARY);

if (IS_NATIVE) await look();
console.log(`${DIST}/nspin: ${(Bun.file(BINARY).size / 1e6).toFixed(1)} MB`);

async function look(): Promise<void> {
  const hostile = mkdtempSync(join(tmpdir(), "nspin-build-"));
  try {
    await Bun.write(join(hostile, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    await Bun.write(join(hostile, "preload.ts"), 'console.log("preloaded"); process.exit(1);\n');
    await Bun.write(join(hostile, ".env"), "BUN_OPTIONS=--version\nNSPIN_HOSTILE=1\n");
    const printed = await $`${BINARY} --version`.cwd(hostile).text();
    const wanted = `nspin ${version} (Bun ${Bun.version}, linux-${process.arch})\n`;
    if (printed !== wanted)
      throw new Error(`--version printed ${JSON.stringify(printed)}, not ${JSON.stringify(wanted)}`);
    const strace = Bun.which("strace");
    if (strace !== null) {
      const trace = await $`${strace} -f -qq -e trace=openat,open ${BINARY} --version 2>&1`
        .cwd(hostile)
        .text();
      const opened = trace.split("\n").filter((line) => /bunfig\.toml|\.env"/.test(line));
      if (opened.length > 0) throw new Error(`it opens what is in the cwd: ${opened.join("; ")}`);
    }
  } finally {
    rmSync(hostile, { recursive: true });
  }
}
