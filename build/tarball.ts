// For who puts each file where it shall be: docs/install.md.
import { $ } from "bun";
import { commitDate } from "./source-date.ts";
import type { Target } from "./target.ts";
import { MODES } from "./tree.ts";

/** Into the directory. Returns the file's name. */
export async function tarball(
  binary: string,
  target: Target,
  directory: string,
  version: string,
): Promise<string> {
  const name = `nspin-${version}-linux-${target}`;
  const root = `${directory}/${name}`;
  await $`install -D -m 755 -t ${root} ${binary}`;
  await $`cp -r LICENSE CHANGELOG.md dist/man dist/completions units ${root}`;
  await $`install -m 644 docs/install.md ${root}/INSTALL.md`;
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  const same = ["--sort=name", `--mode=${MODES}`, `--mtime=@${(await commitDate()).getTime() / 1000}`];
  await $`tar -C ${directory} ${owner} ${same} -c ${name} | gzip -6n > ${root}.tar.gz && rm -r ${root}`;
  return `${name}.tar.gz`;
}
