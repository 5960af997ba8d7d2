// What --dry-run and -v say for people: five lines, and each of them where it has something to tell.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { nspin, start } from "./start.ts";

const words = ["run", "--netns", "task1"];
const program = ["--", "cat", "/etc/resolv.conf"];
/** Each line's label, and what follows it; a line without one belongs to the line before. */
const rows = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^nspin: /, ""));

beforeAll(async () => {
  await ownResolvConf("/run/systemd/resolve/stub-resolv.conf");
  await $`echo nameserver 192.0.2.1 > /run/systemd/resolve/stub-resolv.conf`;
  await $`ip netns add task1 && mkdir -p /etc/netns/task1`.quiet();
  await $`echo nameserver 10.0.0.2 > /etc/netns/task1/resolv.conf`;
});
beforeEach(async () => {
  await $`echo "hosts: files dns" > /etc/nsswitch.conf`;
});
afterAll(async () => {
  await $`ip netns del task1`;
  await $`umount -l /etc /run`;
});

const kept = "nothing of it stays on the host; a keeper covers it again where the host replaces it";
const five = [
  "network namespace: /run/netns/task1",
  `covered:           /etc/resolv.conf with /etc/netns/task1/resolv.conf, method rejoin: ${kept}`,
  "propagation:       of all mounts, both ways",
  "asked by socket:   nothing: names go by resolv.conf",
  "executed:          /usr/bin/nsenter --target TID --net --mount --root --wd -- cat /etc/resolv.conf",
];
const note =
  "note: a keeper stays beside the program, and covers again what the host replaces; --no-keep: none";

test("--dry-run", async () => {
  const { status, stdout, stderr } = await nspin([...words, "--dry-run", ...program]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(rows(stdout)).toEqual([...five, note]);
});

test("what cannot be looked at is no answer by socket, and keeps no program from its start", async () => {
  await $`mkdir -p /run/nscd && ln -s socket /run/nscd/socket && rm /etc/nsswitch.conf && mkfifo /etc/nsswitch.conf`;
  const { status, stdout, stderr } = await nspin([...words, "-v", ...program]);
  await $`rm -r /run/nscd /etc/nsswitch.conf`;
  expect({ status, stdout }).toEqual({ status: 0, stdout: "nameserver 10.0.0.2\n" });
  expect(rows(stderr)).toEqual([...five, note]);
});

test("-v says the same on stderr, and starts the program", async () => {
  const { status, stdout, stderr } = await nspin([...words, "-v", ...program]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "nameserver 10.0.0.2\n" });
  expect(rows(stderr)).toEqual([...five, note]);
});

test("a cover for each file, the label once", async () => {
  await $`echo 10.0.0.9 other > /etc/netns/task1/hosts`;
  const { stdout } = await nspin([...words, "--dry-run", ...program]);
  await $`rm /etc/netns/task1/hosts`;
  expect(
    rows(stdout)
      .slice(1, 3)
      .map((line) => line.replace(/:? +(\/\S+) .*/, " $1")),
  ).toEqual(["covered /etc/hosts", " /etc/resolv.conf"]);
});

test("nothing is covered", async () => {
  const { stdout } = await nspin([...words, "--no-etc", "--dry-run", ...program]);
  expect(rows(stdout)[1]).toBe("covered:           nothing");
});

test("what does not propagate", async () => {
  const command = [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    NSPIN,
    ...words,
    "--dry-run",
    ...program,
  ];
  expect((await start(command)).stdout).toContain("\npropagation:       / is private: ");
});

const bySocket = async (...more: string[]) => {
  const { stdout } = await nspin([...words, ...more, "--dry-run", ...program]);
  return rows(stdout).filter((line) => line.includes("answers for the host") || line.includes("by socket"));
};
const nothing = [five[3] as string];

test("nsswitch.conf asks systemd-resolved, until the program has its own", async () => {
  await $`echo "hosts: files resolve [!UNAVAIL=return] dns" > /etc/nsswitch.conf`;
  expect(await bySocket()).toEqual([
    "asked by socket:   systemd-resolved, by 'resolve' in the line 'hosts:' of /etc/nsswitch.conf, which answers for the host whatever resolv.conf says; the remedy: --own-dns",
  ]);
  await $`echo "hosts: files dns" > /etc/netns/task1/nsswitch.conf`;
  expect(await bySocket()).toEqual(nothing);
  await $`rm /etc/netns/task1/nsswitch.conf`;
});

test("nscd, until its directory is covered", async () => {
  await $`mkdir /run/nscd /run/empty`;
  const server = Bun.listen({ unix: "/run/nscd/socket", socket: { data() {} } });
  expect(await bySocket()).toEqual([expect.stringContaining("nscd, by /run/nscd/socket, which answers")]);
  expect(await bySocket("--bind", "/run/empty:/run/nscd")).toEqual(nothing);
  server.stop();
  await $`rm -rf /run/nscd`;
  expect(await bySocket()).toEqual(nothing);
});

test("inspect names the files that a launcher covers here and now", async () => {
  await $`${NSPIN} bake --netns task1 -o /run/launcher -- cat`;
  await $`touch /etc/netns/task1/without-namesake`;
  const { stdout } = await nspin(["inspect", "/run/launcher"]);
  expect(stdout).toContain(
    "bind each entry of /etc/netns/task1 over its namesake in /etc\n  on this host, now: /etc/resolv.conf\nuse method",
  );
  await $`rm /etc/netns/task1/*`;
  expect((await nspin(["inspect", "/run/launcher"])).stdout).toContain("  on this host, now: none\n");
});
