// The method cases in each of Debian's kernels, emulated: their TAP, and a sum
// in the form of bun test's.
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { $ } from "bun";
import { distOf, type Machine } from "../../build/target.ts";

const DEADLINE_MS = 1_800_000; // a guest takes 3 to 8 minutes, on a machine that has nothing else to do
const EMULATORS: Record<Machine, { command: string[]; console: string }> = {
  // First: it takes longest.
  arm64: { command: ["qemu-system-aarch64", "-machine", "virt", "-cpu", "neoverse-n1"], console: "ttyAMA0" }, // Graviton 2's
  // Without cmpxchg16b, after which QEMU 7.2's emulation once left RAX in EFLAGS: the kernel panicked.
  x64: { command: ["qemu-system-x86_64", "-cpu", "max,-cx16"], console: "ttyS0" },
};

const repository = `${import.meta.dir}/../..`;
const vm = `${repository}/dist/vm`;
const guests: { machine: Machine; kernel: string }[] = [];
for (const machine of Object.keys(EMULATORS) as Machine[]) {
  await makeHost(machine);
  const kernels = readdirSync(`${vm}/${machine}`).filter((name) => /^\d/.test(name));
  guests.push(...kernels.map((kernel) => ({ machine, kernel })));
}

let passed = 0;
let failed = guests.length === 0 ? 1 : 0;
const queue = guests.values(); // which the workers share
await Promise.all(Array.from({ length: availableParallelism() }, worker));
console.error(` ${passed} pass\n ${failed} fail`);
process.exit(failed === 0 ? 0 : 1);

async function worker(): Promise<void> {
  for (const { machine, kernel } of queue) {
    const start = Date.now();
    const tap = await boot(machine, kernel);
    const seconds = ((Date.now() - start) / 1000).toFixed();
    console.log(`--- vm ${machine} ${kernel}, ${seconds} s\n${tap.join("\n")}`);
    const planned = Number(tap.find((line) => line.startsWith("1.."))?.slice(3) ?? 0);
    const good = tap.filter((line) => /^ok \d+ - /.test(line)).length;
    passed += good;
    failed += planned === 0 ? 1 : planned - good;
  }
}

/** What the machine has for a root: Debian's programs, nspin, and the cases as one program. */
async function makeHost(machine: Machine): Promise<void> {
  const home = `${vm}/${machine}`;
  const host = `${home}/root/host`;
  await $`rm -rf ${home}/root && mkdir ${home}/root && cp -a ${home}/programs/root ${host}`;
  await $`mkdir -p ${host}/nspin ${host}/dist ${host}/proc ${host}/sys ${host}/dev ${host}/run ${host}/tmp`;
  // What it takes for its own place is /$bunfs/root: test/kit finds nspin in /dist.
  await $`${process.execPath} build --compile --target=bun-linux-${machine} ${import.meta.dir}/tap.ts --outfile ${host}/bin/tap`.quiet();
  await $`cp ${repository}/${distOf(machine)}/nspin ${host}/dist/`;
  await $`cp ${import.meta.dir}/init ${home}/root/init && chmod 755 ${home}/root/init`;
  for (const name of ["bin", "sbin", "lib", "lib64", "usr"]) await $`ln -s host/${name} ${home}/root/${name}`; // init's own
  await $`cd ${home}/root && find . | cpio --quiet -o -H newc > ${home}/root.cpio`;
}

async function boot(machine: Machine, kernel: string): Promise<string[]> {
  const home = `${vm}/${machine}/${kernel}`;
  const initrd = `${home}/initrd`;
  await $`rm -rf ${home}/add && mkdir -p ${home}/add/host && cp ${home}/overlay.ko* ${home}/add/host/`;
  await $`cd ${home}/add && find host/overlay.ko* | cpio --quiet -o -H newc | cat ${home}/../root.cpio - > ${initrd}`;
  const { command, console } = EMULATORS[machine];
  const emulator = Bun.spawn(
    [
      ...[...command, "-accel", "tcg", "-m", "1500"],
      ...["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"],
      ...["-kernel", `${home}/vmlinuz`, "-initrd", initrd],
      ...["-append", `console=${console} quiet panic=-1 rdinit=/init`],
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit", timeout: DEADLINE_MS },
  );
  const output = await emulator.stdout.text();
  await $`rm -rf ${home}/add ${initrd}`;
  return output.split(/\r*\n/);
}
