// What a machine has for a root -> dist/vm/MACHINE/root.cpio: Debian's programs, nspin, and the cases as
// one program.
import { $ } from "bun";
import { ALL, distOf } from "../../build/target.ts";

const repository = `${import.meta.dir}/../..`;
for (const machine of ALL) {
  const home = `${repository}/dist/vm/${machine}`;
  const host = `${home}/root/host`;
  await $`rm -rf ${home}/root && mkdir ${home}/root && cp -a ${home}/programs/root ${host}`;
  await $`mkdir -p ${host}/nspin ${host}/dist ${host}/proc ${host}/sys ${host}/dev ${host}/run ${host}/tmp`;
  // What it takes for its own place is /$bunfs/root: test/kit finds nspin in /dist.
  await $`${process.execPath} build --compile --target=bun-linux-${machine} ${import.meta.dir}/tap.ts --outfile ${host}/bin/tap`.quiet();
  await $`cp ${repository}/${distOf(machine)}/nspin ${host}/dist/`;
  await $`cp ${import.meta.dir}/init ${home}/root/init && chmod 755 ${home}/root/init`;
  for (const name of ["bin", "sbin", "lib", "lib64", "usr"]) await $`ln -s host/${name} ${home}/root/${name}`; // init's own
  await $`cd ${home}/root && find . | cpio --quiet -o -H newc > ${home}/root.cpio && rm -r ${home}/root`;
}
