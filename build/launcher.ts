// ffi/launcher/ and ffi/ -> dist/launcher.ts: for each machine what `nspin bake` puts
// a plan behind. In every binary there are all: an AMI is baked elsewhere.
import { $ } from "bun";
import { version } from "../package.json";
import { LAUNCHER_FILE } from "../src/contract.ts";
import { planTemplate } from "./elf.ts";
import { ALL, compilerOf, FREESTANDING, type Machine, SMALL, sourcesOf } from "./target.ts";
import { texts } from "./texts.ts";

const LIMIT = 52 * 1024;

const FLAGS = [
  ...FREESTANDING,
  "-DNSPIN_LAUNCHER",
  `-DNSPIN_VERSION="${version}"`,
  "-Wl,-T,ffi/launcher/launcher.ld,--gc-sections,--build-id=none",
];
/** Not in a launcher: what undoes a runtime's changes, and what the command line calls. */
const OTHERS = ["exports", "inherit", "started"].map((name) => `ffi/${name}.c`);
const own = ["start.S", "note.S", "launcher.c", "netns.c", "inherit.c"].map((file) => `ffi/launcher/${file}`);
const sources = sourcesOf("ffi", "ffi/keeper", "ffi/aside").filter((file) => !OTHERS.includes(file));

await $`mkdir -p dist`;
await texts();
const templates = await Promise.all(ALL.map(async (machine) => [machine, await build(machine)] as const));
await Bun.write("dist/launcher.ts", `export default ${JSON.stringify(Object.fromEntries(templates))};\n`);

/** base64. Keeps dist/launcher.MACHINE.elf, with its symbols. */
async function build(machine: Machine): Promise<string> {
  const elf = `dist/launcher.${machine}.elf`;
  const flags = [...FLAGS, ...SMALL[machine]];
  await $`${compilerOf(machine)} ${flags} ${own} ${sources} -o ${elf}`;
  const template = planTemplate(Buffer.from(await Bun.file(elf).arrayBuffer()), LAUNCHER_FILE.plan);
  if (template.length > LIMIT) throw new Error(`${elf}: ${template.length} bytes, ${LIMIT} is too many`);
  return template.toString("base64");
}
