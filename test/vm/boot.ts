// The method cases in one of Debian's kernels, emulated: its TAP, and a sum in the form of bun test's.
//   bun test/vm/boot.ts MACHINE/KERNEL
import { $ } from "bun";
import type { Machine } from "../../build/target.ts";

const DEADLINE_MS = 1_800_000; // it takes 3 to 8 minutes, on a machine that has nothing else to do
const EMULATORS: Record<Machine, { command: string[]; console: string }> = {
  arm64: { command: ["qemu-system-aarch64", "-machine", "virt", "-cpu", "neoverse-n1"], console: "ttyAMA0" }, // Graviton 2's
  // Without cmpxchg16b, after which QEMU 7.2's emulation once left RAX in EFLAGS: the kernel panicked.
  x64: { command: ["qemu-system-x86_64", "-cpu", "max,-cx16"], console: "ttyS0" },
};

const [guest = ""] = process.argv.slice(2);
const [machine] = guest.split("/") as [Machine];
const home = `${import.meta.dir}/../../dist/vm/${guest}`;
const initrd = `${home}/initrd`;
await $`rm -rf ${home}/add && mkdir -p ${home}/add/host && cp ${home}/overlay.ko* ${home}/add/host/`;
await $`cd ${home}/add && find host/overlay.ko* | cpio --quiet -o -H newc | cat ${home}/../root.cpio - > ${initrd}`;
const { command, console: terminal } = EMULATORS[machine];
const emulator = Bun.spawn(
  [
    ...[...command, "-accel", "tcg", "-m", "1500"],
    ...["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"],
    ...["-kernel", `${home}/vmlinuz`, "-initrd", initrd],
    ...["-append", `console=${terminal} quiet panic=-1 rdinit=/init`],
  ],
  { stdin: "ignore", stdout: "pipe", stderr: "inherit", timeout: DEADLINE_MS },
);
const output = await emulator.stdout.text();
await $`rm -rf ${home}/add ${initrd}`;

const tap = output.split(/\r*\n/);
console.log(tap.join("\n"));
const planned = Number(tap.find((line) => line.startsWith("1.."))?.slice(3) ?? 0);
const passed = tap.filter((line) => /^ok \d+ - /.test(line)).length;
const failed = planned === 0 ? 1 : planned - passed;
console.error(` ${passed} pass\n ${failed} fail`);
process.exit(failed === 0 ? 0 : 1);
