// What nspin does, word for word as a user types it: to be read as documentation. The odd cases
// are in the other files.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { $ } from "bun";
import { mountinfo } from "../kit/mountinfo.ts";
import { ownResolvConf } from "../kit/own-etc.ts";

const HOST = "nameserver 192.0.2.1\n";
const TASK = "nameserver 10.0.0.2\n";
const hostFile = () => readFileSync("/etc/resolv.conf", "utf8");

// A host on which resolv.conf belongs to systemd-resolved, and a network namespace with a file of its own.
beforeAll(async () => {
  $.env({ ...process.env, PATH: `${resolve("dist")}:${process.env.PATH}` });
  await ownResolvConf("/run/systemd/resolve/stub-resolv.conf");
  await $`echo nameserver 192.0.2.1 > /run/systemd/resolve/stub-resolv.conf`;
  await $`ip netns add task1`;
  await $`mkdir -p /etc/netns/task1`;
  await $`echo nameserver 10.0.0.2 > /etc/netns/task1/resolv.conf`;
});
afterAll(async () => {
  await $`ip netns del task1`;
  await $`umount -l /etc /run`;
});

test("the program reads the task's resolv.conf, the host its own, and no mount is left", async () => {
  const before = mountinfo();
  expect(await $`nspin run --netns task1 -- cat /etc/resolv.conf`.text()).toBe(TASK);
  expect(await $`cat /etc/resolv.conf`.text()).toBe(HOST);
  expect(mountinfo()).toBe(before);
});

test("the program is in the network namespace", async () => {
  const task = await $`ip netns exec task1 readlink /proc/self/ns/net`.text();
  expect(await $`nspin run --netns task1 -- readlink /proc/self/ns/net`.text()).toBe(task);
  expect(await $`nspin run --netns /run/netns/task1 -- readlink /proc/self/ns/net`.text()).toBe(task);
  expect(await $`readlink /proc/self/ns/net`.text()).not.toBe(task);
});

test("a network namespace without a name: by a process that is in it, and the file by --bind", async () => {
  const holder = Bun.spawn(["unshare", "--net", "sleep", "60"]);
  while (
    (await $`readlink /proc/${holder.pid}/ns/net`.text()) === (await $`readlink /proc/self/ns/net`.text())
  )
    await Bun.sleep(10);
  await $`echo nameserver 10.0.0.3 > /run/task.conf`;
  expect(
    await $`nspin run --netns pid:${holder.pid} --bind /run/task.conf:/etc/resolv.conf -- cat /etc/resolv.conf`.text(),
  ).toBe("nameserver 10.0.0.3\n");
  holder.kill();
});

test("each file in /etc/netns/ID covers its namesake in /etc", async () => {
  await $`echo 192.0.2.7 registry > /etc/netns/task1/hosts`;
  expect(await $`nspin run --netns task1 -- cat /etc/hosts /etc/resolv.conf`.text()).toBe(
    `192.0.2.7 registry\n${TASK}`,
  );
  await $`rm /etc/netns/task1/hosts`;
});

test("--no-etc: the network only", async () => {
  expect(await $`nspin run --netns task1 --no-etc -- cat /etc/resolv.conf`.text()).toBe(HOST);
});

test("--bind without --netns: a file only, and any file", async () => {
  await $`echo secret > /run/other && echo public > /run/file`;
  expect(await $`nspin run --bind /run/other:/run/file -- cat /run/file`.text()).toBe("secret\n");
  expect(await $`cat /run/file`.text()).toBe("public\n");
});

test("what the program writes goes to its own file, with --read-only nowhere", async () => {
  await $`nspin run --netns task1 -- sh -c 'echo options edns0 >> /etc/resolv.conf'`;
  expect(await $`cat /etc/netns/task1/resolv.conf`.text()).toBe(`${TASK}options edns0\n`);
  const refused = await $`nspin run --netns task1 --read-only -- sh -c 'echo > /etc/resolv.conf'`
    .nothrow()
    .quiet();
  expect(refused.stderr.toString()).toContain("Read-only file system");
  expect(hostFile()).toBe(HOST);
  await $`echo nameserver 10.0.0.2 > /etc/netns/task1/resolv.conf`;
});

test("mounts of the program reach the host, and the host's the program", async () => {
  await $`mkdir -p /run/snapshots/1`;
  await $`nspin run --netns task1 -- mount -t tmpfs layer /run/snapshots/1`;
  expect(mountinfo()).toContain(" /run/snapshots/1 ");
  const unmount = "nsenter --target $PPID --mount umount /run/snapshots/1";
  const left = "grep -c /run/snapshots/1 /proc/self/mountinfo";
  expect(await $`nspin run --netns task1 -- sh -c ${`${unmount}; ${left}`}`.nothrow().text()).toBe("0\n");
});

test("the host's resolver replaces its file while the program runs: both go on with their own", async () => {
  await $`echo nameserver 192.0.2.9 > /run/systemd/resolve/new`;
  const replace =
    "nsenter --target $PPID --mount mv /run/systemd/resolve/new /run/systemd/resolve/stub-resolv.conf";
  expect(await $`nspin run --netns task1 -- sh -c ${`${replace}; cat /etc/resolv.conf`}`.text()).toBe(TASK);
  expect(hostFile()).toBe("nameserver 192.0.2.9\n");
  await $`echo nameserver 192.0.2.1 > /run/systemd/resolve/stub-resolv.conf`;
});

test("options end at the first word that is not one, or at --; the rest is the program's", async () => {
  const words = "<a  b>\n<>\n<--netns>\n<--help>\n";
  expect(await $`nspin run --netns task1 printf '<%s>\n' "a  b" "" --netns --help`.text()).toBe(words);
  expect(await $`nspin run --netns task1 -- printf '<%s>\n' "a  b" "" --netns --help`.text()).toBe(words);
});

test("the exit status is the program's, or 125 to 127 where it was not started", async () => {
  const status = async (command: ReturnType<typeof $>) => (await command.nothrow().quiet()).exitCode;
  expect(await status($`nspin run --netns task1 -- sh -c 'exit 7'`)).toBe(7);
  expect(await status($`nspin run --netns task1 --enter setns -- /etc/hosts`)).toBe(126);
  expect(await status($`nspin run --netns task1 --enter setns -- nonesuch`)).toBe(127);
  const failed = await $`nspin run --netns task2 -- true`.nothrow().quiet();
  expect([failed.exitCode, failed.stderr.toString()]).toEqual([
    125,
    "nspin: cannot open network namespace /run/netns/task2: No such file or directory (ENOENT)\n" +
      "nspin: hint: 'ip netns list' shows the network namespaces that have a name\n",
  ]);
});

test("--enter setns: nspin becomes the program itself, with the pid that it had", async () => {
  const script = 'echo $$; exec nspin run --netns task1 --enter setns -- sh -c "echo \\$\\$"';
  const [before, after] = (await $`sh -c ${script}`.text()).split("\n");
  expect(after).toBe(before as string);
});

test("--dry-run says which method is taken, and why, and changes nothing", async () => {
  const before = mountinfo();
  expect(await $`nspin run --netns task1 --dry-run --steps -- true`.text()).toContain(
    "use method rejoin on /etc/resolv.conf: nothing of it stays on the host; a keeper covers it again where the host replaces it\n",
  );
  expect(await $`nspin run --netns task1 --no-keep --dry-run --steps -- true`.text()).toContain(
    "use method rejoin on /etc/resolv.conf: it is a symbolic link, covered itself: the host may replace its target\n",
  );
  expect(mountinfo()).toBe(before);
});

test("the host replaces the file itself, and the program keeps its own: a keeper covers it again", async () => {
  await $`echo secret > /run/other && echo public > /run/file`;
  const replace =
    "echo new > /run/file.new; nsenter --target $PPID --mount mv /run/file.new /run/file; sleep 0.5";
  expect(await $`nspin run --bind /run/other:/run/file -- sh -c ${`${replace}; cat /run/file`}`.text()).toBe(
    "secret\n",
  );
  expect(await $`cat /run/file`.text()).toBe("new\n");
});

test("--no-keep: no process beside the program; a plain file is then pinned, and the host cannot replace it", async () => {
  const before = mountinfo();
  expect(
    await $`nspin run --no-keep --bind /run/other:/run/file -- sh -c ${"cat /run/file; pgrep -c --ns $$ --nslist mnt nspin-keeper"}`
      .nothrow()
      .text(),
  ).toBe("secret\n0\n");
  expect(mountinfo().split("\n").length).toBe(before.split("\n").length + 1);
  await $`nspin unpin /run/file`;
  expect(mountinfo()).toBe(before);
});

test("--method pin leaves one private mount on the host, until nspin unpin", async () => {
  const before = mountinfo();
  for (const _ of "123") await $`nspin run --netns task1 --method pin -- true`;
  expect(mountinfo().split("\n").length).toBe(before.split("\n").length + 1);
  await $`nspin unpin`;
  expect(mountinfo()).toBe(before);
});

test("nspin bake writes a launcher, which does the same; its arguments are appended", async () => {
  await $`nspin bake --netns task1 -o /run/cat-of-task1 -- cat`;
  expect(await $`/run/cat-of-task1 /etc/resolv.conf`.text()).toBe(TASK);
  expect(await $`nspin inspect /run/cat-of-task1`.text()).toContain("execute cat ARG...\n");
});
