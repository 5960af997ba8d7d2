// What `npm run release` made. Each binary runs here: that of another machine, of a
// CPU without AVX2, and of musl, by qemu-user.
import { beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Schema, Validator } from "@cfworker/json-schema";
import { $ } from "bun";
import { deb } from "../../build/deb.ts";
import { rpm } from "../../build/rpm.ts";
import { sign } from "../../build/sign.ts";
import { tarball } from "../../build/tarball.ts";
import { emulatorOf, MACHINE, type Machine, TARGETS, type Target } from "../../build/target.ts";
import { dependencies, version } from "../../package.json";
import { fenced } from "../kit/document.ts";

const RELEASE = resolve("dist/release");
const machines: Machine[] = ["x64", "arm64"];
const cpu = { x64: "Nehalem", arm64: "neoverse-n1" };
const directory = mkdtempSync(join(tmpdir(), "nspin-release-"));

const targets = Object.entries(TARGETS) as [Target, Machine][];
const tarballs = targets.map(([target]) => `nspin-${version}-linux-${target}.tar.gz`);
const packages = [
  ...[`nspin_${version}_amd64.deb`, `nspin_${version}_arm64.deb`],
  ...[`nspin-${version}-1.x86_64.rpm`, `nspin-${version}-1.aarch64.rpm`],
];
const SBOM = `nspin-${version}.cdx.json`;

test("each file is there once, and SHA256SUMS has it", async () => {
  const files = [...tarballs, ...packages, SBOM].sort();
  expect(readdirSync(RELEASE).sort()).toEqual(["SHA256SUMS", ...files].sort());
  const sums = readFileSync(join(RELEASE, "SHA256SUMS"), "utf8").trim().split("\n");
  expect(sums.map((line) => line.slice(66))).toEqual(files);
  expect(new Set(sums.map((line) => line.slice(0, 64))).size).toBe(files.length);
});

test("who has taken one file, the sums and the signature can check them", async () => {
  const key = join(directory, "nspin.key");
  await $`minisign -G -W -s ${key} -p nspin.pub`.cwd(directory).quiet();
  await $`cp SHA256SUMS ${SBOM} ${directory}`.cwd(RELEASE);
  await sign(directory, key);
  const commands = fenced("docs/install.md", "sh").get("Check what you have") as string;
  const check = () => $`sh -eu -c ${commands}`.cwd(directory).nothrow().quiet();
  const { stdout, exitCode } = await check();
  expect(exitCode).toBe(0);
  expect(stdout.toString()).toEndWith(`Trusted comment: nspin ${version}\n${SBOM}: OK\n`);
  await $`echo >> ${SBOM}`.cwd(directory);
  expect((await check()).exitCode).not.toBe(0);
  await $`cp ${RELEASE}/${SBOM} . && echo "$(sha256sum nspin.pub)" >> SHA256SUMS`.cwd(directory);
  expect((await check()).exitCode).not.toBe(0);
});

test("the SBOM is CycloneDX's, and names Bun and what the bundle has of npm", async () => {
  const directory = "node_modules/@cyclonedx/cyclonedx-library/res/schema";
  const read = (file: string): Schema => ({
    ...JSON.parse(readFileSync(`${directory}/${file}`, "utf8")),
    $id: `http://cyclonedx.org/schema/${file}`, // by which they refer to each other
  });
  const validator = new Validator(read("bom-1.6.SNAPSHOT.schema.json"), "7", false);
  for (const name of ["jsf-0.82", "spdx"]) validator.addSchema(read(`${name}.SNAPSHOT.schema.json`));
  const bom = JSON.parse(readFileSync(join(RELEASE, SBOM), "utf8"));
  expect(validator.validate(bom).errors).toEqual([]);
  expect(validator.validate({ ...bom, components: [{ name: "x" }] }).valid).toBeFalse();
  const names: string[] = bom.components.map(({ name }: { name: string }) => name);
  expect(names[0]).toBe("bun");
  expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
});

test.each(packages.filter((file) => file.endsWith(".deb")))(
  "lintian has nothing to say of %s",
  async (file) => {
    const lintian = ["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0"];
    const { stdout, exitCode } = await $`${lintian} ${join(RELEASE, file)}`.nothrow().quiet();
    expect([exitCode, stdout.toString()]).toEqual([0, ""]);
  },
);

test.each(packages.filter((file) => file.endsWith(".rpm")))(
  "rpmlint has nothing to say of %s",
  async (file) => {
    const rpmlint = ["rpmlint", "--config", "packaging/rpm/rpmlint.toml"];
    const { stdout } = await $`${rpmlint} ${join(RELEASE, file)}`.nothrow().quiet();
    expect(stdout.toString()).toContain("0 errors, 0 warnings,");
  },
);

test.each([deb, rpm, tarball])(
  "%p: packed again where and as a group builds, the same bytes",
  async (make) => {
    const elsewhere = mkdtempSync(join(directory, "setgid-"));
    chmodSync(elsewhere, 0o2775);
    const umask = process.umask(0o077);
    try {
      const file = await make("dist/nspin", MACHINE, elsewhere, version);
      const [ours, theirs] = [elsewhere, RELEASE].map((where) => readFileSync(join(where, file)));
      expect(ours?.equals(theirs as Buffer)).toBeTrue();
    } finally {
      process.umask(umask);
    }
  },
);

test("Installed-Size counts no directory by its file system: deb-substvars(5)", async () => {
  const file = join(RELEASE, packages[0] as string);
  const [size] = (await $`dpkg-deb --field ${file} Installed-Size`.text()).split("\n");
  const entries = (await $`dpkg-deb --contents ${file}`.text()).trim().split("\n").slice(1); // without ./
  const kib = entries.map((entry) => {
    const [mode = "", , bytes] = entry.split(/ +/);
    return mode.startsWith("-") ? Math.ceil(Number(bytes) / 1024) : 1;
  });
  expect(Number(size)).toBe(kib.reduce((sum, one) => sum + one));
});

test("the emulated x86-64 has no AVX2", async () => {
  const program = join(directory, "avx2");
  const source = Buffer.from('int main(void) { __asm__("vpaddd %ymm0, %ymm0, %ymm0"); return 0; }');
  await $`cc -xc - -o ${program} < ${source}`;
  const SIGILL = 128 + 4;
  expect((await $`qemu-x86_64 -cpu ${cpu.x64} ${program}`.quiet().nothrow()).exitCode).toBe(SIGILL);
  expect((await $`qemu-x86_64 -cpu max ${program}`.nothrow()).exitCode).toBe(0);
});

describe.each(targets)("%s", (target, machine) => {
  const name = `nspin-${version}-linux-${target}`;
  const nspin = [...emulatorOf(target, cpu), join(directory, name, "nspin")];

  beforeAll(async () => {
    await $`tar -C ${directory} -xzf ${RELEASE}/${name}.tar.gz`;
  });

  test("runs, guarded", async () => {
    const env = { ...process.env, BUN_BE_BUN: "1" };
    const printed = await $`${nspin} --version`.env(env).text();
    expect(printed).toBe(`nspin ${version} (Bun ${Bun.version}, linux-${machine})\n`);
  });

  test.each(machines)("bakes the launcher for %s that dist/nspin bakes", async (arch) => {
    const [ours, theirs] = [join(directory, `${target}-${arch}`), join(directory, `own-${arch}`)];
    const words = ["--netns", "a", "--arch", arch, "-o"];
    await $`${nspin} bake ${words} ${ours} true && dist/nspin bake ${words} ${theirs} true`;
    expect(readFileSync(ours).equals(readFileSync(theirs))).toBeTrue();
  });
});
