// nspin enter: what a program sees, a command sees.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { until } from "../kit/until.ts";
import { AS_NOBODY, nspin, start } from "./start.ts";
import { begin, fileOf, withTasks } from "./tasks.ts";

const IDS = ["task1", "task2"];
const [ID, OTHER] = IDS as [string, string];

withTasks(IDS);

const run = (...words: string[]) => begin([NSPIN, "run", "--netns", ID, "--", ...words]);

const enter = (...words: string[]) => nspin(["enter", ...words]);
const KINDS = ["mnt", "net", "pid", "user", "cgroup", "ipc", "uts"];
/** Of what runs under that process id. */
const namespaces = (pid: number | string) => KINDS.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`));
const LIST = ["sh", "-c", `for kind in ${KINDS.join(" ")}; do readlink /proc/self/ns/$kind; done; pwd`];

test("by process and by network namespace: its files, its network, its directory", async () => {
  const program = await run();
  await program.run("cd /opt");
  const net = readlinkSync(`/proc/${program.pid}/ns/net`); // net:[INODE], as ps shows one without a name
  const asRunHasThem = [`pid:${program.pid}`, `/run/netns/${ID}`, `/var/run/netns/${ID}`];
  for (const target of [String(program.pid), ID, ...asRunHasThem, net]) {
    const { stdout, stderr, status } = await enter(target, "--", ...LIST);
    expect({ stdout, stderr, status }).toEqual({
      stdout: `${[...namespaces(program.pid), "/opt"].join("\n")}\n`,
      stderr: "",
      status: 0,
    });
    expect((await enter(target, "cat", "/etc/resolv.conf")).stdout).toBe(readFileSync(fileOf(ID), "utf8"));
  }
  expect((await enter(ID, "ip", "netns", "identify")).stdout).toBe(`${ID}\n`);
});

test("a process that it has started, in further namespaces, and with another root", async () => {
  const program = await run();
  await $`mkdir -p /opt/root/proc`;
  await program.run(
    "unshare --uts --ipc --pid --fork sh -c 'hostname inner; exec sleep 300' > /dev/null 2>&1 &",
  );
  await program.run(
    "chroot=$(command -v chroot); mount --bind / /opt/root && cd /opt/root/tmp && $chroot /opt/root /bin/sleep 301 > /dev/null &",
  );
  const child = async (words: string) => {
    let found = "";
    await until(async () => {
      found = (await $`pgrep -x -f ${words}`.nothrow().text()).trim();
      return found !== "";
    });
    return found;
  };
  const inner = await child("sleep 300");
  expect((await enter(inner, "hostname")).stdout).toBe("inner\n");
  expect((await enter(inner, "sh", "-c", "echo $$")).stdout).toMatch(/^[2-9]\n$/);
  const apart = await child("/bin/sleep 301");
  expect((await enter(apart, "cat", "/etc/resolv.conf")).status).toBe(0);
  expect((await enter(apart, "sh", "-c", "stat -c %d:%i / && stat -c %d:%i .")).stdout).toBe(
    await $`sh -c ${`stat -L -c %d:%i /proc/${apart}/root && stat -L -c %d:%i /proc/${apart}/cwd`}`.text(),
  );
  for (const pid of [inner, apart]) process.kill(Number(pid), "SIGKILL");
  // It is the host's mount too. While who has its root there still ends, it cannot be unmounted.
  expect(await program.run("wait; umount /opt/root 2>&1")).toBe("");
});

test("the command inherits what nspin was started with, its words byte for byte, and ends as it ends", async () => {
  await run();
  const state =
    "ls /proc/self/fd; grep -E '^Sig[PBIC]|^ShdPnd' /proc/self/status; ulimit -a; printf '%s|' \"$@\"";
  const words = ["sh", "-c", state, "sh", "--", "-x", "", "a b", "\u00e9"];
  const { stdout, stderr } = await enter(ID, "--", ...words);
  expect([stdout, stderr]).toEqual([(await start(words)).stdout, ""]);
  expect((await enter(ID, "--", "sh", "-c", "exit 7")).status).toBe(7);
  expect((await enter(ID, "--", "/none")).status).toBe(127);
  expect((await enter(ID, "--", "/etc")).status).toBe(126);
  const bytes =
    await $`sh -c ${`${NSPIN} enter ${ID} -- printf %s "$(printf '\\377')" | od -An -tx1`}`.text();
  expect(bytes.trim()).toBe("ff");
  const shell = await $`echo 'readlink /proc/self/ns/net' | ${NSPIN} enter ${ID}`.text();
  expect(shell.trim()).toBe((await enter(ID, "readlink", "/proc/self/ns/net")).stdout.trim());
});

test("whom it cannot tell, or does not know, it refuses", async () => {
  const [one, two] = [await run(), await run()];
  const refused = async (...words: string[]) => {
    const { status, stderr } = await enter(...words);
    expect(status).toBe(125);
    return stderr;
  };
  expect(await refused(ID, "true")).toBe(
    `nspin: 2 programs run in network namespace "${ID}": ${[one, two].map(({ pid }) => `${pid} sh`).join(", ")}\n` +
      "nspin: hint: name one by its process id\n",
  );
  expect(await refused()).toContain("enter takes PID|NETNS first");
  expect(await refused("--none", ID)).toContain('unknown option "--none"');
  for (const word of [OTHER, "1", "x/y", "", "-1"]) await refused("--", word, "true");
  expect(await refused(String(readdirSync("/proc").length + 1e8), "true")).toContain(
    "no program runs under nspin",
  );
  expect((await start([...AS_NOBODY, NSPIN, "enter", ID, "true"])).status).toBe(125);
});
