// What is released -> dist/release: for each target a tarball, and packages where it has them; what is
// in them; their checksums, and the signature of those with the key that NSPIN_SIGNING_KEY names.
import { readdirSync } from "node:fs";
import { $ } from "bun";
import { version } from "../package.json";
import { deb } from "./deb.ts";
import { rpm } from "./rpm.ts";
import { sbom } from "./sbom.ts";
import { sign } from "./sign.ts";
import { tarball } from "./tarball.ts";
import { distOf, TARGETS, type Target } from "./target.ts";

const RELEASE = "dist/release";
await $`rm -rf ${RELEASE} && mkdir -p ${RELEASE}`;
for (const target of Object.keys(TARGETS) as Target[]) {
  // This machine's own is there, and may be running: npm run compile has made it.
  if (target !== process.arch) await $`${process.execPath} build/binary.ts --target ${target}`;
  const binary = `${distOf(target)}/nspin`;
  await tarball(binary, target, RELEASE, version);
  if (target.endsWith("-musl")) continue; // what Alpine has is neither
  await deb(binary, TARGETS[target], RELEASE, version);
  await rpm(binary, TARGETS[target], RELEASE, version);
}
await Bun.write(`${RELEASE}/nspin-${version}.cdx.json`, `${JSON.stringify(await sbom(), null, 2)}\n`);
await $`sha256sum ${readdirSync(RELEASE).sort()} > SHA256SUMS`.cwd(RELEASE);
const key = process.env.NSPIN_SIGNING_KEY;
if (key !== undefined) await sign(RELEASE, key);
else console.log(`${RELEASE}/SHA256SUMS: not signed, NSPIN_SIGNING_KEY names no key`);
