// What a start costs, beside an empty compiled Bun program, and how long the
// window of method rejoin is. `npm run bench`, in a mount namespace of its own
// whose / is shared. Prints medians; it judges nothing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { $ } from "bun";
import { ownResolvConf } from "../test/host.ts";

const nspin = resolve("dist/nspin");
await ownResolvConf("/run/systemd/resolve/resolv.conf"); // a link: rejoin, as on AL2023
await $`ip netns add nspin-bench`;
const own = mkdtempSync(resolve("dist/bench-")); // where an import finds node_modules
const etc = "/etc/netns/nspin-bench";
try {
  mkdirSync(etc, { recursive: true });
  writeFileSync(join(etc, "resolv.conf"), "nameserver 192.0.2.53\n");
  // A program that costs next to nothing itself: static, and it only exits.
  const exits = join(own, "exits");
  const source = '#include "ffi/syscall.h"\nvoid _start(void) { CALL(__NR_exit_group, 0); for (;;); }\n';
  await $`cc -I. -static -nostdlib -Os -xc - -o ${exits} < ${Buffer.from(source)}`;
  const run = `${nspin} run --netns nspin-bench`;
  const commands = {
    "an empty compiled Bun program": await compile("empty", ""),
    "the same, reading its options by citty": await compile(
      "citty",
      `import { parseArgs } from "citty"; globalThis.x = parseArgs(process.argv.slice(2), { a: { type: "string" } });`,
    ),
    "a program that exits, by nspin run --enter setns": `${run} --enter setns -- ${exits}`,
    "a program that exits, by nspin run --enter nsenter": `${run} --enter nsenter -- ${exits}`,
    "a program that exits": exits,
  };
  // In turn, ten times: what else the machine does then meets all of them alike.
  const json = join(own, "result.json");
  const times = Object.values(commands).map((): number[] => []);
  for (let round = 0; round < 10; round++) {
    await $`env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin hyperfine -N --warmup 3 --runs 30 --export-json ${json} ${Object.values(commands)}`.quiet();
    const { results } = (await Bun.file(json).json()) as { results: { times: number[] }[] };
    for (const [i, result] of results.entries()) times[i]?.push(...result.times);
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] as number);
  const rows = Object.keys(commands).map((name, i) => {
    const ratio = ((medians[i] as number) / (medians[0] as number)).toFixed(2);
    return [name, { "median ms": ms(medians[i] as number), "least ms": ms(times[i]?.[0] as number), ratio }];
  });
  console.table(Object.fromEntries(rows));

  const window = join(own, "window");
  await $`cc -O2 -o ${window} build/window.c ffi/holder.c ffi/host.c ffi/mount.c ffi/proc.c`;
  const lengths = (await $`${window} ${own}`.text()).trim().split("\n").map(Number);
  lengths.sort((a, b) => a - b);
  const at = (part: number) =>
    `${((lengths[Math.floor(part * (lengths.length - 1))] as number) / 1000).toFixed(1)} us`;
  console.log(
    `rejoin's window, ${lengths.length} times: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)}`,
  );
} finally {
  rmSync(own, { recursive: true });
}

async function compile(name: string, source: string): Promise<string> {
  const entry = join(own, `${name}.ts`);
  await Bun.write(entry, source);
  const flags = ["--compile", "--minify", "--bytecode", "--format=esm"];
  await $`${process.execPath} build ${flags} --no-compile-autoload-dotenv --no-compile-autoload-bunfig ${entry} --outfile ${join(own, name)}`.quiet();
  return join(own, name);
}

function ms(seconds: number): string {
  return (seconds * 1000).toFixed(2);
}
