// The packages, on Debian with systemd as PID 1 and nothing of nspin's: from installing one
// over an upgrade and a reboot to its removal.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { $ } from "bun";
import { deb } from "../../build/deb.ts";
import { rpm } from "../../build/rpm.ts";
import { tarball } from "../../build/tarball.ts";
import { MACHINE } from "../../build/target.ts";
import { version } from "../../package.json";
import { Machine } from "../boot/machine.ts";
import { fenced } from "../kit/document.ts";
import { until } from "../kit/until.ts";

const FILES = "dist/package/files";
const OLD = "0.0.1";
const PROFILE = { "/etc/nspin/task1.conf": "DNS=10.1.0.2\n", "/etc/nspin/task1.toml": "" };
PROFILE["/etc/nspin/task1.toml"] = 'netns = "task1"\nprogram = ["/usr/bin/sleep", "infinity"]\n';
const RUN = "nspin run --netns task1 -- cat /etc/resolv.conf";

const commands = fenced("docs/install.md", "sh");
const [APT, RPM, HAND] = ["Debian, Ubuntu", "Amazon Linux, Fedora", "By hand"];
const REMOVE_HAND = "Remove what was put there by hand";

/** Debian's rpm has no package of what is there, and its zsh looks elsewhere than Fedora's. */
const kinds = [
  { root: "trixie", kind: "deb", make: deb, install: APT, remove: "Remove a .deb", hasTab: true },
  { root: "bookworm", kind: "deb", make: deb, install: APT, remove: "Remove a .deb", hasTab: true },
  { root: "trixie", kind: "rpm", make: rpm, install: RPM, remove: "Remove an .rpm", hasTab: false },
  { root: "bookworm", kind: "tar.gz", make: tarball, install: HAND, remove: REMOVE_HAND, hasTab: true },
];

describe.each(kinds)("a .$kind on $root", ({ root, kind, make, install, remove, hasTab }) => {
  let machine: Machine;
  let before: string;
  const left = kind === "tar.gz" ? "! -type d" : ""; // by hand, empty directories stay
  const read = (heading: string) => commands.get(heading) as string;
  const installed = (of: string) =>
    machine.run(`mkdir /tmp/${of} && cd /tmp/${of} && cp /nspin/${FILES}/${of}/* .\n${read(install)}`);
  const state = async () => ({
    pid: Number(await machine.run("systemctl show --value --property MainPID nspin@task1")),
    active: (await machine.run("systemctl show --value --property SubState nspin@task1")).trim(),
  });
  const up = () => until(async () => (await state()).active === "running");
  const resolvConf = async () =>
    await machine.run(`nsenter --target ${(await state()).pid} --mount --net cat /etc/resolv.conf`);

  beforeAll(async () => {
    for (const of of [OLD, version]) {
      rmSync(`${FILES}/${of}`, { recursive: true, force: true });
      mkdirSync(`${FILES}/${of}`, { recursive: true });
      await make("dist/nspin", MACHINE, `${FILES}/${of}`, of);
    }
    machine = await Machine.bare(`package/${root}`);
    if (kind === "rpm") await machine.run(`rpm --upgrade /nspin/${await base()}`);
    before = await everything(machine, left);
  }, 120_000);
  afterAll(() => machine.remove());

  test("is installed", async () => {
    await installed(OLD);
    await machine.run(read("Is the host fit?"));
    const page = await machine.run("man nspin");
    expect(page.replaceAll(/\s+/g, " ")).toContain("nspin -- start a program in a network namespace");
    expect(await machine.run("man nspin-run")).toContain("--netns");
  });

  test("the README's ten lines", async () => {
    const printed = await machine.run(fenced("README.md", "sh").get("Ten lines") as string);
    expect(printed).toStartWith(`nameserver 10.0.0.2\n${await machine.run("cat /etc/resolv.conf")}`);
    expect(printed).toEndWith("\nisolated\n");
  });

  test("a profile's unit runs, isolated", async () => {
    for (const [path, text] of Object.entries(PROFILE)) await machine.write(path, text);
    await machine.run("systemctl enable --now nspin-netns@task1 nspin@task1 nspin-check.timer");
    await up();
    expect(await resolvConf()).toBe("nameserver 10.1.0.2\n");
    expect(await machine.run("nspin check && systemctl start nspin-check")).toBe("");
  });

  test("is upgraded, and what runs goes on", async () => {
    const { pid } = await state();
    await installed(version);
    expect(await state()).toEqual({ pid, active: "running" });
    await machine.write("/etc/resolv.conf", "nameserver 192.0.2.1\n"); // what a keeper answers
    await until(async () => (await resolvConf()) === "nameserver 10.1.0.2\n");
    expect(await machine.run(RUN)).toBe("nameserver 10.1.0.2\n");
  });

  const shells = { bash: ["bash", "-l"], zsh: ["zsh"], fish: ["fish"] };
  test.each(hasTab ? Object.entries(shells) : [])("TAB in %s", async (_, shell) => {
    await machine.write("/root/.zshrc", "autoload -Uz compinit; compinit -u\n");
    const terminal = machine.terminal(shell);
    try {
      terminal.type('echo re""ady\n');
      await terminal.until(/ready/);
      terminal.type("nspin versi\t\n");
      await terminal.until(new RegExp(`nspin ${version} `));
      const planOf = async (keys: string) => {
        terminal.type(keys);
        const [, plan = ""] = await terminal.until(/[\r\n](\{\r\n.*?\n\}).*?#/s); // and the next prompt
        return JSON.parse(plan);
      };
      const by = await planOf(
        "sudo nspin run --netns ta\t--meth\trejo\t--dry-r\t --json -- getcon\tPAGESIZE\n",
      );
      expect(by).toMatchObject({ netns: "/run/netns/task1", method: "rejoin" });
      expect(by.command).toEqual(expect.arrayContaining(["getconf", "PAGESIZE"]));
      const byProfile = await planOf("nspin run @ta\t--dry-r\t --json\n");
      expect(byProfile).toMatchObject({ netns: "/run/netns/task1", method: "auto" });
      expect(byProfile.command).toEqual(expect.arrayContaining(["/usr/bin/sleep", "infinity"]));
      terminal.type('nspin refresh ta\t && echo do""ne\n');
      await terminal.until(/done/);
    } finally {
      await terminal.close();
    }
  });

  test("after a reboot the unit runs", async () => {
    await machine.reboot();
    await up();
    expect(await resolvConf()).toBe("nameserver 10.1.0.2\n");
  });

  test("is removed without a trace", async () => {
    const { pid } = await state();
    await machine.write("/etc/nspin/gone.toml", 'netns = "task1"\nprogram = ["/none"]\n');
    await machine.run("systemctl start nspin@gone || true");
    await until(async () => (await machine.try("systemctl is-failed nspin@gone")).stdout === "failed\n");
    await machine.run("rm /etc/nspin/gone.toml");
    await machine.run(read(remove));
    expect(await machine.run("systemctl list-units --failed --no-legend 'nspin*'")).toBe("");
    expect(await machine.run("ls /run/netns")).toBe("");
    expect((await machine.try(`ls /proc/${pid}`)).status).not.toBe(0);
    await machine.run(`rm ${Object.keys(PROFILE).join(" ")} && rmdir /etc/nspin`); // the administrator's own
    expect(await everything(machine, left)).toBe(before);
  });
});

/** Each file there is (find(1)'s word for it), but for what the package managers, man and logs keep; what is enabled is a link. */
async function everything(machine: Machine, kinds: string): Promise<string> {
  const kept = [
    "/var/lib/dpkg",
    "/var/lib/apt",
    "/var/lib/rpm",
    "/var/cache",
    "/var/log",
    "/var/lib/systemd",
  ];
  const but = [...kept, "/nspin", "/proc", "/sys", "/run", "/dev", "/tmp", "/root"];
  const prune = but.map((path) => `-path ${path}`).join(" -o ");
  return await machine.run(`find / \\( ${prune} \\) -prune -o ${kinds} -print | sort`);
}

/** For Debian's rpm: it has no package of what is installed there. */
async function base(): Promise<string> {
  const spec = `${FILES}/base.spec`;
  await Bun.write(
    spec,
    `Name: base
Version: 1
Release: 1
Summary: What Debian has
License: none
Provides: /bin/sh, /usr/bin/nsenter, libc.so.6(GLIBC_2.17)(64bit)
%description
%install
mkdir -p %{buildroot}/usr/share/licenses %{buildroot}/usr/share/zsh/site-functions
%files
%dir /usr/share/licenses
%dir /usr/share/zsh/site-functions
`,
  );
  await $`rpmbuild -bb --define ${`_rpmdir ${resolve(FILES)}`} --define ${`_topdir ${resolve(FILES)}/base`} ${spec}`.quiet();
  const [file] = new Bun.Glob("*/base-1-1.*.rpm").scanSync(FILES);
  return `${FILES}/${file}`;
}

afterAll(() => rmSync(FILES, { recursive: true, force: true }));
