// A Debian package: deb(5), by dpkg-deb(1).
import { chmodSync, mkdirSync } from "node:fs";
import { $ } from "bun";
import { commitDate } from "./source-date.ts";
import type { Machine } from "./target.ts";
import { fill } from "./template.ts";
import { copyright, MODES, marks, tree } from "./tree.ts";

const ARCHITECTURES: Record<Machine, string> = { x64: "amd64", arm64: "arm64" };

/** Into the directory. Returns the file's name. */
export async function deb(
  binary: string,
  machine: Machine,
  directory: string,
  version: string,
): Promise<string> {
  const root = `${directory}/deb`;
  const doc = `${root}/usr/share/doc/nspin`;
  const date = await commitDate();
  await tree(root, binary, "vendor-completions");
  await Bun.write(`${doc}/copyright`, await copyright(version));
  const all = {
    ...(await marks(binary, machine, version)),
    architecture: ARCHITECTURES[machine],
    date: date.toUTCString().replace("GMT", "+0000"),
  };
  await Bun.write(`${doc}/changelog`, fill("packaging/deb/changelog", all));
  await $`gzip -9n ${doc}/changelog`;
  await $`install -D -m 644 packaging/deb/lintian-overrides ${root}/usr/share/lintian/overrides/nspin`;
  const kib = String(await installedKib(root));
  mkdirSync(`${root}/DEBIAN`);
  await Bun.write(`${root}/DEBIAN/control`, fill("packaging/deb/control", { ...all, kib }));
  await $`find etc usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums`.cwd(root);
  for (const script of ["postinst", "prerm", "postrm"]) {
    await Bun.write(`${root}/DEBIAN/${script}`, fill(`packaging/deb/${script}`, all));
    chmodSync(`${root}/DEBIAN/${script}`, 0o755);
  }
  await $`chmod -R ${MODES} ${root}`;
  // gzip: each dpkg takes it, lintian does, and it is unpacked in a third of the time of xz.
  const file = `nspin_${version}_${all.architecture}.deb`;
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) };
  await $`dpkg-deb --root-owner-group -Zgzip -z6 --build ${root} ${directory}/${file}`.env(env).quiet();
  await $`rm -r ${root}`;
  return file;
}

/** By deb-substvars(5), not by du(1): what that says of a directory depends on the file system. */
async function installedKib(root: string): Promise<number> {
  const lines = (await $`find ${root} -mindepth 1 -printf ${"%y %s\\n"}`.text()).trim().split("\n");
  const kib = lines.map((line) => {
    const [type, bytes] = line.split(" ");
    return type === "f" ? Math.ceil(Number(bytes) / 1024) : 1;
  });
  return kib.reduce((sum, one) => sum + one, 0);
}
