// The method cases in each of Debian's kernels, emulated: their TAP, and a sum
// in the form of bun test's.
import { readdirSync } from "node:fs";
import { $ } from "bun";
import { installPrograms } from "../programs.ts";

const DEADLINE_MS = 600_000; // a boot and the cases take about 40 s, where nothing else runs
const TOOLS =
  "sh mount umount nsenter insmod chroot uname mv cp ln cat mkdir rm ls grep wc true touch sleep id".split(
    " ",
  );

const vm = `${import.meta.dir}/../../dist/vm`;
const repository = `${import.meta.dir}/../..`;
await makeHost();
const kernels = readdirSync(vm).filter((name) => /^\d/.test(name));
let passed = 0;
let failed = 0;
const outputs = await Promise.all(kernels.map(boot));
kernels.forEach((kernel, i) => {
  const tap = outputs[i] as string[];
  console.log(`--- vm ${kernel}\n${tap.join("\n")}`);
  const planned = Number(tap.find((line) => line.startsWith("1.."))?.slice(3) ?? 0);
  const good = tap.filter((line) => /^ok \d+ - /.test(line)).length;
  passed += good;
  failed += planned === 0 ? 1 : planned - good;
});
console.error(` ${passed} pass\n ${failed} fail`);
process.exit(failed === 0 && kernels.length > 0 ? 0 : 1);

/** What the machine has for a root: bun, nspin, the tests, a few tools and their libraries. */
async function makeHost(): Promise<void> {
  const host = `${vm}/root/host`;
  await $`rm -rf ${vm}/root`;
  await $`mkdir -p ${host}/nspin/dist ${host}/etc ${host}/proc ${host}/sys ${host}/dev ${host}/run ${host}/tmp`;
  await installPrograms(host, [process.execPath, ...TOOLS]);
  await $`cp -r ${repository}/test ${host}/nspin/ && cp ${repository}/dist/nspin ${host}/nspin/dist/`;
  await $`cp ${import.meta.dir}/init ${vm}/root/init && chmod 755 ${vm}/root/init`;
  for (const name of ["bin", "lib", "lib64"]) await $`ln -s host/${name} ${vm}/root/${name}`; // init's own
  await $`cd ${vm}/root && find . | cpio --quiet -o -H newc > ${vm}/root.cpio`;
}

async function boot(kernel: string): Promise<string[]> {
  const home = `${vm}/${kernel}`;
  const initrd = `${home}/initrd`;
  await $`rm -rf ${home}/add && mkdir -p ${home}/add/host && cp ${home}/overlay.ko* ${home}/add/host/`
    .nothrow()
    .quiet();
  await $`cd ${home}/add && find host/overlay.ko* | cpio --quiet -o -H newc | cat ${vm}/root.cpio - > ${initrd}`.nothrow();
  // Without cmpxchg16b, after which QEMU 7.2's emulation once left RAX in EFLAGS: the kernel panicked.
  const machine = Bun.spawn(
    [
      ...["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max,-cx16", "-m", "1500"],
      ...["-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio"],
      ...["-kernel", `${home}/vmlinuz`, "-initrd", initrd],
      ...["-append", "console=ttyS0 quiet panic=-1 rdinit=/init"],
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit", timeout: DEADLINE_MS },
  );
  const console = await machine.stdout.text();
  await $`rm -rf ${home}/add ${initrd}`;
  return console.split(/\r*\n/);
}
