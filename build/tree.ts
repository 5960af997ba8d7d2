// What a package installs, as it is on a host.
import { readdirSync } from "node:fs";
import { $, Glob } from "bun";
import { carried } from "./carried.ts";
import type { Machine } from "./target.ts";
import { fill } from "./template.ts";

/** For chmod(1) and tar(1): whatever the umask, and where the directory that it is built in passes its set-group-ID bit on. */
export const MODES = "u=rwX,go=rX,g-s";

/** All but what they run. */
const UNITS = readdirSync("units")
  .filter((file) => file.includes("."))
  .sort();

/** Below root. zsh: where the distribution's looks. */
export async function tree(root: string, binary: string, zsh: string): Promise<void> {
  const share = `${root}/usr/share`;
  await $`install -D -m 755 -t ${root}/usr/bin ${binary}`;
  await $`install -D -m 755 -t ${root}/usr/lib/nspin units/nspin-netns`;
  await $`install -D -m 644 -t ${root}/usr/lib/systemd/system ${UNITS.map((file) => `units/${file}`)}`;
  await $`install -D -m 644 dist/completions/nspin.bash ${share}/bash-completion/completions/nspin`;
  await $`install -D -m 644 -t ${share}/fish/vendor_completions.d dist/completions/nspin.fish`;
  await $`install -D -m 644 -t ${share}/zsh/${zsh} dist/completions/_nspin`;
  await $`install -D -m 644 -t ${share}/man/man8 ${readdirSync("dist/man").map((file) => `dist/man/${file}`)}`;
  await $`install -D -m 644 -t ${share}/doc/nspin CHANGELOG.md ${[...new Glob("docs/*.schema.json").scanSync()]}`;
  await $`gzip -9n ${share}/doc/nspin/CHANGELOG.md`;
  await $`gzip -9n ${readdirSync("dist/man")}`.cwd(`${share}/man/man8`);
  await $`install -d -m 755 ${root}/etc/nspin`;
}

/** Whose work the binary carries, and under which licences: debian/copyright's format. */
export async function copyright(version: string): Promise<string> {
  const packages = await carried();
  const authors = packages.map(({ name, author }) => ` ${author} (${name})`);
  return fill("packaging/copyright", { version, authors: authors.join("\n") });
}

/** What the texts of both kinds of packages have. */
export async function marks(binary: string, machine: Machine, version: string) {
  const units = UNITS.filter((file) => /@\.service$|\.timer$/.test(file)); // what can be enabled
  const remove = fill("packaging/remove.sh", {
    units: units.join(" "),
    all: UNITS.map((file) => `'${file.replace(".", "*.")}'`).join(" "),
    instances: units.map((file) => `'${file.replace("@.", "@*.")}'`).join(" "),
  });
  return {
    version,
    machine,
    maintainer: "nspin maintainers <maintainers@nspin.invalid>",
    glibc: await glibc(binary),
    install: indented(fill("packaging/install.sh", {})),
    remove: indented(remove),
  };
}

/** Within an if. */
function indented(script: string): string {
  return script.replaceAll(/^(?=.)/gm, "\t").trimEnd();
}

/** The least version that the dynamic linker takes, from the names of its dynamic symbols' versions. */
async function glibc(binary: string): Promise<string> {
  const start = await Bun.file(binary)
    .slice(0, 4 << 20)
    .text(); // they are in the first segment, near its begin
  const versions = [...start.matchAll(/GLIBC_2\.(\d+)(?![.\d])/g)].map(([, minor]) => Number(minor));
  if (versions.length === 0) throw new Error(`${binary} names no version of glibc`);
  return `2.${Math.max(...versions)}`;
}
