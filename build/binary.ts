// src/main.ts -> nspin in dist, and a look at what came out.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { $ } from "bun";
import { version } from "../package.json";
import { COMMANDS, compile, MODULES } from "./bundle.ts";
import { guard } from "./guard.ts";
import { objects } from "./object.ts";
import { findPages, NO_PAGES, pagesOf, tryPages } from "./start-pages.ts";
import { DIST, FINDS_START_PAGES, IS_NATIVE, TARGET } from "./target.ts";

const BINARY = resolve(DIST, "nspin");
const BUNDLED = `${BINARY}.bundled`;
const UNGUARDED = `${BINARY}.unguarded`; // protects from nothing: the tests show what the guard is for

await $`${process.execPath} build --target=bun --minify ${COMMANDS.module} --outfile ${COMMANDS.bundle}`.quiet();
await compile(MODULES, BUNDLED, IS_NATIVE ? [] : [`--target=bun-linux-${TARGET}`]);
await objects();
if (FINDS_START_PAGES) {
  await guard(BUNDLED, BINARY, NO_PAGES);
  await findPages(BUNDLED, BINARY);
}
const pages = await pagesOf(BUNDLED);
if (IS_NATIVE) await guard(BUNDLED, UNGUARDED, pages, ["-DUNGUARDED"]);
await guard(BUNDLED, BINARY, pages);
await $`rm ${BUNDLED}`;

if (IS_NATIVE) {
  await look();
  if (!(await tryPages(BINARY, pages)))
    console.log(`the list of pages was not tried: that takes unshare(2) of namespaces, and /dev/fuse`);
}
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
