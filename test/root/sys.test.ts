// --sys: /sys as the network namespace has it, with the host's mounts in it, which go on propagating.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountinfo, mountTable } from "../kit/mountinfo.ts";
import { Program } from "../kit/program.ts";
import { type Entry, enterBy, entries, nspin, start } from "./start.ts";

const ID = "sys";
const CGROUP = "/sys/fs/cgroup";
const OTHER = "/sys/kernel/debug";
beforeAll(async () => {
  await $`ip netns add ${ID} && ip -n ${ID} tuntap add dev inside mode tap && ip tuntap add dev outside mode tap`;
  mkdirSync(`/etc/netns/${ID}`, { recursive: true });
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, "nameserver 192.0.2.53\n");
});
afterAll(async () => {
  await $`ip netns del ${ID} && ip link del outside`;
  rmSync(`/etc/netns/${ID}`, { recursive: true });
});

const point = (line: string) => line.split(" ")[4] ?? "";
/** What is mounted below /sys, and in which peer group. */
const below = (table: readonly string[]) =>
  table
    .filter((line) => point(line).startsWith("/sys/"))
    .map((line) => `${point(line)}${/ shared:\d+/.exec(line)?.[0] ?? ""}`)
    .sort();
const asked = ["--netns", ID];

describe.each(entries)("by %s", (entry: Entry) => {
  test.each([[asked], [[...asked, "--no-etc"]]])("the interfaces of the namespace, %p", async (options) => {
    const before = mountinfo();
    const list = (...more: string[]) =>
      start([...enterBy(entry, [...options, ...more]), "ls", "/sys/class/net"]);
    const [without, seen] = [await list(), await list("--sys")];
    expect([without.stdout.includes("outside"), without.stdout.includes("inside")]).toEqual([true, false]);
    expect([seen.stdout.includes("outside"), seen.stdout.includes("inside")]).toEqual([false, true]);
    expect(seen).toMatchObject({ status: 0, stderr: "" });
    expect(mountinfo()).toBe(before);
  });

  test("what is mounted on the host's is there, in the same peer groups", async () => {
    const host = below(mountTable());
    expect(host.length).toBeGreaterThan(0);
    const { stdout } = await start([...enterBy(entry, [...asked, "--sys"]), "cat", "/proc/self/mountinfo"]);
    expect(below(stdout.trim().split("\n"))).toEqual(host);
  });

  /** strace lets the keeper run while mounts are moved from the one /sys to the other. */
  test("a cover below it is laid once, however long its mounts are moved", async () => {
    const file = "/sys/kernel/fscaps";
    const words = enterBy(entry, [...asked, "--sys", "--bind", `/etc/netns/${ID}/resolv.conf:${file}`]);
    const slowly = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=move_mount"];
    const look = `cat ${file}; sleep 0.1; grep -c ' ${file} ' /proc/self/mountinfo`;
    const inject = ["-e", "inject=move_mount:delay_exit=50000"];
    const { stdout } = await start([...slowly, ...inject, ...words, "sh", "-c", look]);
    expect(stdout).toBe("nameserver 192.0.2.53\n2\n");
  });

  test("mounts go both ways below what is mounted there, and none from /sys itself", async () => {
    await $`mount -t tmpfs sys-test ${OTHER} --make-shared && mkdir ${OTHER}/host ${OTHER}/program`;
    const program = new Program(enterBy(entry, [...asked, "--sys"]));
    try {
      expect(await program.run("ls -d /sys/class/net/inside")).toBe("/sys/class/net/inside");
      await program.run(`mount -t tmpfs seen ${OTHER}/program && mount -t tmpfs own /sys/fs/bpf`);
      const points = mountTable().map(point);
      expect(points).toContain(`${OTHER}/program`);
      expect(points).not.toContain("/sys/fs/bpf");
      await $`mount -t tmpfs seen ${OTHER}/host`;
      expect(await program.run(`findmnt -no FSTYPE ${OTHER}/host`)).toBe("tmpfs");
    } finally {
      await program.end();
      await $`umount ${OTHER}/host ${OTHER}/program`.nothrow().quiet();
      await $`umount -l ${OTHER}`;
    }
  });

  test.each([
    [
      "a read-only one stays that",
      "mount -o remount,bind,ro /sys",
      { status: 0, stdout: "ro\n", stderr: "" },
    ],
    [
      "of two mounts in one place",
      `mount -t tmpfs a ${CGROUP} && mount -t tmpfs b ${CGROUP}`,
      refusal(
        "Device or resource busy (EBUSY)\nnspin: hint: two mounts lie in one place below /sys: unmount the upper one",
      ),
    ],
    [
      "where there is none",
      "mount -t tmpfs none /sys",
      refusal("No such device (ENODEV)\nnspin: hint: mount a sysfs on /sys first"),
    ],
  ])("%s", async (_, script, outcome) => {
    const mode = "findmnt -no OPTIONS /sys | tail -n 1 | cut -d , -f 1";
    const program = [...enterBy(entry, [...asked, "--sys", "--no-etc"]), "sh", "-c", mode];
    const before = mountinfo();
    const seen = await start(["unshare", "-m", "sh", "-c", `${script} && exec "$@"`, "sh", ...program]);
    expect(seen.stderr.replace(/^nspin: warning: .*\n/, "")).toBe(outcome.stderr);
    expect({ ...seen, stderr: outcome.stderr }).toMatchObject(outcome);
    expect(mountinfo()).toBe(before);
  });
});

function refusal(why: string) {
  const stderr = `nspin: cannot lay a sysfs on /sys: ${why}\n`;
  return { status: 125, stdout: "", stderr };
}

test("a dry run says so, and changes nothing", async () => {
  const before = mountinfo();
  const dry = async (...more: string[]) =>
    (await nspin(["run", ...asked, "--sys", "--dry-run", ...more, "true"])).stdout;
  expect(await dry()).toContain("/run/netns/sys, also on /sys\n");
  expect(await dry()).toContain("note: what the host mounts directly on /sys");
  expect(await dry("--steps")).toContain("lay a sysfs of the network namespace on /sys\n");
  expect(JSON.parse(await dry("--json")).extras).toEqual(["sys"]);
  expect(mountinfo()).toBe(before);
});
