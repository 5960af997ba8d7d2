// Every target -> dist/release/nspin-linux-TARGET, and SHA256SUMS.
import { $ } from "bun";
import { distOf, TARGETS, type Target } from "./target.ts";

const RELEASE = "dist/release";
await $`rm -rf ${RELEASE} && mkdir -p ${RELEASE}`;
for (const target of Object.keys(TARGETS) as Target[]) {
  await $`${process.execPath} build/binary.ts --target ${target}`;
  await $`ln ${distOf(target)}/nspin ${RELEASE}/nspin-linux-${target}`;
}
await $`sha256sum nspin-linux-* > SHA256SUMS`.cwd(RELEASE);
