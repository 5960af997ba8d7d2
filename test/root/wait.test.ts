// run --wait: a namespace that comes later, however it comes; and one that does not.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { until } from "../kit/until.ts";
import { nspin, start } from "./start.ts";

const read = ["cat", "/etc/resolv.conf"];
const run = (wait: string) => ["run", "--netns", "late", wait, "--", ...read];
const own = { status: 0, stdout: "nameserver 10.0.0.2\n", stderr: "" };
const hint = "nspin: hint: 'ip netns list' shows the network namespaces that have a name\n";
const ofFile = "nspin: hint: it is what the program resolves by; --no-etc starts with the host's\n";
const late = (what: string) => ({
  status: 124,
  stdout: "",
  stderr: `nspin: ${what}: nothing was started\n${what.startsWith("network") ? hint : ofFile}`,
});

beforeAll(() => ownResolvConf("/run/systemd/resolve/stub-resolv.conf"));
beforeEach(async () => {
  await $`echo nameserver 192.0.2.1 > /run/systemd/resolve/stub-resolv.conf`;
  await $`umount -l /run/netns/late; rm -rf /run/netns/late /etc/netns/late`.nothrow().quiet();
});
afterAll(async () => {
  await $`umount -l /etc /run`.nothrow().quiet();
});

/** Steps, each once the waiting process sleeps in poll(2) again; what it has printed in the end. */
async function steps(words: string[], ...commands: string[]) {
  const child = Bun.spawn([NSPIN, ...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  for (const command of commands) {
    await until(async () => /^(7|271) /.test(readFileSync(`/proc/${child.pid}/syscall`, "utf8"))); // poll, ppoll
    await Bun.sleep(20);
    expect(child.exitCode).toBeNull();
    await $`sh -ec ${command}`.quiet();
  }
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { status: await child.exited, stdout, stderr };
}

const netns = "ip netns add late";
const file = "mkdir -p /etc/netns/late && echo nameserver 10.0.0.2 >/etc/netns/late/resolv.conf";

test("the namespace, and then the file", async () => {
  expect(await steps(run("--wait"), netns, file)).toEqual(own);
});
test("the file, and then the namespace", async () => {
  expect(await steps(run("--wait=1min"), file, netns)).toEqual(own);
});
test("step by step: a placeholder, a namespace on it, directories, an empty file, a line", async () => {
  const all = [
    ...["mkdir -p /run/netns", "touch /run/netns/late && chmod 0 /run/netns/late"],
    "unshare --net=/run/netns/late true",
    ...["mkdir -p /etc/netns", "mkdir /etc/netns/late", "touch /etc/netns/late/resolv.conf"],
    "echo nameserver 10.0.0.2 >>/etc/netns/late/resolv.conf",
  ];
  expect(await steps(run("--wait"), ...all.slice(1))).toEqual(own);
});
test("the file is renamed into place, and its directory too", async () => {
  const rename = `mkdir -p /etc/netns/new && echo nameserver 10.0.0.2 >/etc/netns/new/resolv.conf && mv /etc/netns/new /etc/netns/late`;
  expect(await steps(run("--wait"), netns, rename)).toEqual(own);
});
test("the file is a link to one that comes later", async () => {
  const link = "mkdir -p /etc/netns/late && ln -s ../../../run/later/x /etc/netns/late/resolv.conf";
  const write = "echo nameserver 10.0.0.2 >/run/later/x";
  expect(await steps(run("--wait"), netns, link, "mkdir /run/later", write)).toEqual(own);
  await $`rm -r /run/later`;
});
test("a namespace by its path, with a file by --bind", async () => {
  const words = [
    "run",
    "--netns",
    "/run/other/ns",
    "--wait",
    "--bind",
    "/run/other/conf:/etc/resolv.conf",
    ...read,
  ];
  const namespace = "touch /run/other/ns && unshare --net=/run/other/ns true";
  expect(
    await steps(words, "mkdir /run/other", namespace, "echo nameserver 10.0.0.2 >/run/other/conf"),
  ).toEqual(own);
  await $`umount /run/other/ns && rm -r /run/other`;
});
test("all is there already", async () => {
  await $`sh -ec ${`${netns}; ${file}`}`.quiet();
  expect(await nspin(run("--wait=0"))).toEqual(expect.objectContaining(own));
});

test("it does not come: one line, and 124", async () => {
  expect(await nspin(run("--wait=100ms"))).toMatchObject(
    late("network namespace /run/netns/late is not there, after 100ms"),
  );
  await $`touch /run/netns/late`;
  expect(await nspin(run("--wait=0.1"))).toMatchObject(
    late("network namespace /run/netns/late is a name with no namespace mounted on it, after 0.1s"),
  );
  await $`rm /run/netns/late && sh -ec ${netns}`.quiet();
  expect(await nspin(run("--wait=0.1s"))).toMatchObject(
    late("file /etc/netns/late/resolv.conf is not there, after 0.1s"),
  );
  await $`mkdir -p /etc/netns/late && touch /etc/netns/late/resolv.conf`;
  expect(await nspin(run("--wait=1s"))).toMatchObject(
    late("file /etc/netns/late/resolv.conf is empty, after 1s"),
  );
  expect((await nspin(run("--no-strict"))).status).toBe(125); // no other failure has it
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s ends the wait", async (signal) => {
  const child = Bun.spawn([NSPIN, ...run("--wait")], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  await until(async () => /^(7|271) /.test(readFileSync(`/proc/${child.pid}/syscall`, "utf8")));
  child.kill(signal);
  await child.exited;
  expect([child.signalCode, await child.stderr.text()]).toEqual([signal, ""]);
});

test("it sleeps while nothing comes: no CPU time, and no call", async () => {
  const child = Bun.spawn([NSPIN, ...run("--wait")], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const read = (name: string) => readFileSync(`/proc/${child.pid}/task/${child.pid}/${name}`, "utf8");
  await until(async () => /^(7|271) /.test(read("syscall")));
  await Bun.sleep(100);
  const switches = () => /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(read("status"))?.[1];
  const before = switches();
  await Bun.sleep(1500);
  expect(switches()).toBe(before as string);
  child.kill();
  await child.exited;
});

test("on a terminal it says what it waits for, once each", async () => {
  const later = `sleep 0.5; ${netns}; sleep 0.5; ${file}`;
  const command = `${NSPIN} ${run("--wait").join(" ")}`;
  const { stdout } = await start(["sh", "-c", `(${later}) & script -qec "${command}" /dev/null; wait`]);
  expect(Bun.stripANSI(stdout).replaceAll("\r", "")).toBe(
    "nspin: waiting for network namespace /run/netns/late\nnspin: waiting for file /etc/netns/late/resolv.conf\nnameserver 10.0.0.2\n",
  );
});

test("no descriptor of the wait is left in the program", async () => {
  const words = ["run", "--netns", "late", "--wait", "--", "sh", "-c", "ls /proc/self/fd | wc -l"];
  expect(await steps(words, netns, file)).toEqual({ ...own, stdout: "4\n" }); // 0, 1, 2 and ls's own
});

test("where the names lead in a circle, or through a file, it waits for better ones", async () => {
  const circle = "mkdir -p /etc/netns/late && ln -s resolv.conf /etc/netns/late/resolv.conf";
  const { status, stderr } = await nspin([
    "run",
    "--netns",
    "/etc/passwd/x",
    "--no-etc",
    "--wait=0.1",
    "true",
  ]);
  expect([status, stderr]).toEqual([124, expect.stringContaining("/etc/passwd/x is not there, after 0.1s")]);
  expect(await steps(run("--wait"), netns, circle, `rm /etc/netns/late/resolv.conf && ${file}`)).toEqual(own);
});

test.each([
  ["inotify_init1:error=EMFILE", [], "watch inotify: Too many open files (EMFILE)"],
  ["inotify_add_watch:error=ENOSPC", [], "watch /: No space left on device (ENOSPC)"],
  ["inotify_add_watch:error=ENOMEM", [], "watch /: Cannot allocate memory (ENOMEM)"],
  ["poll:error=EPERM", [], "wait for a change of /proc/self/mountinfo: Operation not permitted (EPERM)"],
  [
    "openat:error=EMFILE",
    ["-P", "/proc/self/mountinfo"],
    "open /proc/self/mountinfo: Too many open files (EMFILE)",
  ],
])("what would never be told is refused at once: %s", async (fault, more, says) => {
  const strace = ["strace", "-f", "--quiet=attach,exit,path-resolution", "-o", "/dev/null", ...more];
  const seen = await start(["timeout", "20", ...strace, "-e", `inject=${fault}`, NSPIN, ...run("--wait")]);
  expect(seen).toMatchObject({ status: 125, stdout: "" });
  expect(seen.stderr).toStartWith(`nspin: cannot ${says}\n`);
});

test("--dry-run does not wait", async () => {
  const { status, stderr } = await nspin(["run", "--netns", "late", "--wait", "--dry-run", "true"]);
  expect([status, stderr]).toEqual([125, expect.stringContaining("cannot open network namespace")]);
});
