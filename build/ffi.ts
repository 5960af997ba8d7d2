// ffi/*.c -> launch.so and unpinned.so in dist, and what the binary embeds of
// them (base64, in a module: bun would write an embedded .so to disk).
import { $ } from "bun";
import { CC, DIST } from "./target.ts";

const FLAGS = [
  "-std=gnu11",
  "-ffreestanding",
  "-nostdlib",
  "-shared",
  "-fPIC",
  "-Os",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fvisibility=hidden",
  "-ffunction-sections",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wl,--gc-sections,-z,noexecstack,-z,relro,-z,now,-z,noseparate-code,--build-id=none,--hash-style=gnu",
];

await $`mkdir -p ${DIST}`;
const launch = ["launch", "target", "holder", "host", "mount", "program", "inherit", "proc"];
await object("launch", launch, /^nspin_(launch|decide|unpin)$/, 24 * 1024);
await object("unpinned", ["unpinned", "inherit", "proc"], /^unpinned_/, 16 * 1024);

async function object(name: string, sources: string[], exported: RegExp, limit: number): Promise<void> {
  const file = `${DIST}/${name}.so`;
  await $`${CC} ${FLAGS} ${sources.map((source) => `ffi/${source}.c`)} -o ${file}`;
  await check(file, exported, limit);
  const base64 = Buffer.from(await Bun.file(file).arrayBuffer()).toString("base64");
  await Bun.write(`${file}.ts`, `export default "${base64}";\n`);
}

/** No libc, nothing exported but what is called, small: else the object is not what it says. */
async function check(file: string, exported: RegExp, limit: number): Promise<void> {
  const symbols = (await $`nm -D ${file}`.text())
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const undefinedOnes = symbols.filter(([kind]) => kind === "U").map(([, name]) => name);
  const defined = symbols.filter((row) => row.length === 3).map(([, , name]) => name as string);
  const needed = (await $`readelf -d ${file}`.text()).split("\n").filter((line) => line.includes("(NEEDED)"));
  const [text, data] = (await $`size ${file}`.text()).split("\n")[1]?.trim().split(/\s+/).map(Number) ?? [];
  const size = Number(text) + Number(data); // the file is larger: its segments lie apart by a page, on arm64 64 KiB
  const faults = [
    ...undefinedOnes.map((name) => `undefined symbol ${name}`),
    ...defined.filter((name) => !exported.test(name)).map((name) => `exported symbol ${name}`),
    ...needed.map((line) => `needs a library: ${line.trim()}`),
    ...(size < limit ? [] : [`${size} bytes, ${limit} is too many`]),
  ];
  if (faults.length > 0) throw new Error(`${file}: ${faults.join("; ")}`);
}
