// ffi/launcher/ and ffi/ -> dist/launcher.ts: for each machine what `nspin bake` puts
// a plan behind. In every binary there are all: an AMI is baked elsewhere.
import { $, Glob } from "bun";
import { LAUNCHER_FILE } from "../src/contract.ts";
import { planTemplate } from "./elf.ts";
import { ALL, compilerOf, FREESTANDING, type Machine } from "./target.ts";

const LIMIT = 32 * 1024;

// Small before all: each page of it is read from a cold disk.
const FLAGS = [
  ...FREESTANDING,
  ...["-DNSPIN_LAUNCHER", "-Oz", "-flto", "-fno-jump-tables"],
  "-fno-tree-loop-distribute-patterns", // ffi/memory.c would call itself
  "-Wl,-T,ffi/launcher/launcher.ld,--gc-sections,--build-id=none",
];
/** What gcc 12 makes smallest, tried out. */
const FOR: Record<Machine, string[]> = {
  x64: [
    ...["-malign-data=abi", "-fno-inline-functions-called-once", "-fno-cse-follow-jumps"],
    ...["-fno-tree-tail-merge", "-fno-move-loop-invariants"],
  ],
  arm64: ["-mcmodel=tiny", "-fomit-frame-pointer"],
};
/** Not in a launcher: what undoes a runtime's changes, and what the command line calls. */
const OTHERS = ["exports", "inherit", "started", "unpinned"].map((name) => `ffi/${name}.c`);
const own = ["start.S", "launcher.c", "inherit.c"].map((file) => `ffi/launcher/${file}`);
const sources = [...new Glob("ffi/*.c").scanSync()].filter((file) => !OTHERS.includes(file)).sort();

await $`mkdir -p dist`;
const templates = await Promise.all(ALL.map(async (machine) => [machine, await build(machine)] as const));
await Bun.write("dist/launcher.ts", `export default ${JSON.stringify(Object.fromEntries(templates))};\n`);

/** base64. Keeps dist/launcher.MACHINE.elf, with its symbols. */
async function build(machine: Machine): Promise<string> {
  const elf = `dist/launcher.${machine}.elf`;
  const flags = [...FLAGS, ...FOR[machine]];
  await $`${compilerOf(machine)} ${flags} ${own} ${sources} -o ${elf}`;
  const template = planTemplate(Buffer.from(await Bun.file(elf).arrayBuffer()), LAUNCHER_FILE.plan);
  if (template.length > LIMIT) throw new Error(`${elf}: ${template.length} bytes, ${LIMIT} is too many`);
  return template.toString("base64");
}
