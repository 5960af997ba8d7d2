// A package for rpm(8), by rpmbuild(8).
import { resolve } from "node:path";
import { $ } from "bun";
import { commitDate } from "./source-date.ts";
import type { Machine } from "./target.ts";
import { fill } from "./template.ts";
import { copyright, MODES, marks, tree } from "./tree.ts";

const ARCHITECTURES: Record<Machine, string> = { x64: "x86_64", arm64: "aarch64" };

/** Into the directory. Returns the file's name. */
export async function rpm(
  binary: string,
  machine: Machine,
  directory: string,
  version: string,
): Promise<string> {
  const top = resolve(directory, "rpm");
  const root = `${top}/tree`;
  const licences = `${root}/usr/share/licenses/nspin`;
  const date = await commitDate();
  const architecture = ARCHITECTURES[machine];
  await tree(root, binary, "site-functions");
  await $`install -D -m 644 -t ${licences} LICENSE`;
  await Bun.write(`${licences}/copyright`, await copyright(version));
  const all = {
    ...(await marks(binary, machine, version)),
    tree: root,
    modes: MODES,
    date: date.toUTCString().replace(/(...), (..) (...) (....).*/, "$1 $3 $2 $4"),
  };
  await Bun.write(`${top}/nspin.spec`, fill("packaging/rpm/nspin.spec", all));
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) };
  await $`rpmbuild -bb --target ${architecture} --define ${`_topdir ${top}`} ${top}/nspin.spec`
    .env(env)
    .quiet();
  const file = `nspin-${version}-1.${architecture}.rpm`;
  await $`mv ${top}/RPMS/${architecture}/${file} ${directory} && rm -r ${top}`;
  return file;
}
