// --user and --caps: setpriv(1) starts the program, when all the rest is done.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountTable } from "../kit/mountinfo.ts";
import { files } from "./hello-and-world.ts";
import { enterBy, nspin, start } from "./start.ts";

const ID = "user";
const { hello, world } = files();
const accounts = ["passwd", "group"].map((name) => ({
  path: `/etc/${name}`,
  was: readFileSync(`/etc/${name}`),
}));
beforeAll(async () => {
  appendFileSync("/etc/passwd", "probe:x:2001:2002::/:/bin/sh\n");
  appendFileSync("/etc/group", "probes:x:2002:\nextra:x:2003:probe\n");
  await $`ip netns add ${ID} && mkdir -p /etc/netns/${ID}`;
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, "nameserver 192.0.2.53\n");
});
afterAll(async () => {
  for (const { path, was } of accounts) writeFileSync(path, was);
  await $`ip netns del ${ID}`;
  rmSync(`/etc/netns/${ID}`, { recursive: true });
});

const run = (...words: string[]) => nspin(["run", "--netns", ID, ...words]);
const who = ["sh", "-c", "id -u; id -g; id -G; grep ^CapEff /proc/self/status; cat /etc/resolv.conf"];
const is = (uid: number, gid: number, groups: string, caps = 0) => ({
  stdout: `${uid}\n${gid}\n${groups}\nCapEff:\t${caps.toString(16).padStart(16, "0")}\nnameserver 192.0.2.53\n`,
  stderr: "",
  status: 0,
});
const [NET_BIND_SERVICE, NET_RAW] = [1 << 10, 1 << 13];

test.each([
  [["--user", "probe"], is(2001, 2002, "2002 2003")],
  [["--user", "probe:extra"], is(2001, 2003, "2003 2002")],
  [["--user", "probe:0"], is(2001, 0, "0 2002 2003")],
  [["--user", "2001:2003"], is(2001, 2003, "2003")],
  [["--user", "4242:4343"], is(4242, 4343, "4343")],
  [["--user", "root"], is(0, 0, "0")],
  [["--user", "probe", "--caps", "net_raw"], is(2001, 2002, "2002 2003", NET_RAW)],
  [
    ["--user", "probe", "--caps", "CAP_NET_RAW,net_bind_service"],
    is(2001, 2002, "2002 2003", NET_RAW | NET_BIND_SERVICE),
  ],
  [["--user", "probe", "--enter", "auto"], is(2001, 2002, "2002 2003")],
])("%p", async (options, seen) => {
  const before = mountTable();
  expect(await run(...options, "--", ...who)).toMatchObject(seen);
  expect(mountTable()).toEqual(before);
});

test("by a launcher the same, with its own program and with its argument's", async () => {
  const seen = is(2001, 2003, "2003 2002", NET_RAW);
  const options = ["--netns", ID, "--user", "probe:extra", "--caps", "net_raw"];
  expect(await start([...enterBy("launcher", options), ...who])).toMatchObject(seen);
  expect(await start(enterBy("launcher", [...options, "--", ...who]))).toMatchObject(seen);
  const any = ["--netns-arg", ...options.slice(2), "--", ...who];
  expect(await start([...enterBy("launcher", any), ID])).toMatchObject(seen);
});

test("the keeper stays root's", async () => {
  const program = Bun.spawn(enterBy("setns", ["--netns", ID, "--user", "probe"]).concat("sleep", "60"));
  const isThere = () => $`pgrep -u 0 -f "^nspin-keeper ${program.pid} sleep"`.nothrow().quiet();
  for (let tries = 0; tries < 200 && (await isThere()).exitCode !== 0; tries++) await Bun.sleep(10);
  expect((await isThere()).exitCode).toBe(0);
  expect((await $`ps -o uid= -p ${program.pid}`.text()).trim()).toBe("2001");
  program.kill();
  await program.exited;
});

describe("nothing is started:", () => {
  const mark = "/tmp/nspin-test-user-started";
  test.each([
    [
      ["--user", "nonesuch"],
      "nspin: cannot find user \"nonesuch\"\nnspin: hint: 'getent passwd' shows them\n",
      125,
    ],
    // To the kernel 4294967295 is "stay who you are", and setpriv takes of a larger number the lowest 32 bits.
    ...[
      ["4294967295:1", "4294967295"],
      ["4294967296:1", "4294967296"],
      ["18446744073709551615:1", "18446744073709551615"],
      ["probe:4294967295", "4294967295"],
      ["1:4294967296", "4294967296"],
    ].map(([user, number]): [string[], string, number] => [
      ["--user", user as string],
      `nspin: option --user cannot use the number ${number}\nnspin: hint: 4294967294 is the largest of a user or group\n`,
      125,
    ]),
    [["--user", "probe:nonesuch"], "setpriv: failed to parse regid: 'nonesuch'\n", 1],
    [["--user", "nonesuch:extra"], "setpriv: failed to parse reuid: 'nonesuch'\n", 1],
  ])("%p", async (options, stderr, status) => {
    expect(await run(...options, "touch", mark)).toMatchObject({ status, stdout: "", stderr });
    expect(await Bun.file(mark).exists()).toBeFalse();
  });

  test.each(["setns", "launcher"] as const)(
    "the program is not there, or setpriv is not, by %s",
    async (entry) => {
      const as = enterBy(entry, ["--bind", `${world}:${hello}`, "--user", "2001:2002"]);
      const missing = (what: string) => `nspin: cannot find ${what}: No such file or directory (ENOENT)\n`;
      expect(await start([...as, "nonesuch"])).toMatchObject({ status: 127, stderr: missing("nonesuch") });
      expect(await start([...as, "/etc/passwd"])).toMatchObject({ status: 126 });
      renameSync("/usr/bin/setpriv", "/usr/bin/setpriv.away");
      try {
        expect(await start([...as, "touch", mark])).toMatchObject({
          status: 125,
          stderr: `${missing("/usr/bin/setpriv")}nspin: hint: install util-linux; --enter setns needs no nsenter\n`,
        });
      } finally {
        renameSync("/usr/bin/setpriv.away", "/usr/bin/setpriv");
      }
      expect(await Bun.file(mark).exists()).toBeFalse();
    },
  );
});

test("a dry run shows setpriv, and the program that is looked for", async () => {
  const { stdout } = await run("--dry-run", "--json", "--user", "probe", "cat", "x");
  const { command, enter, steps } = JSON.parse(stdout);
  expect([command[0], command.slice(-3), enter]).toEqual(["/usr/bin/setpriv", ["--", "cat", "x"], "setns"]);
  const does = steps.map(({ does }: { does: string }) => does);
  expect(does).toContain("find /usr/bin/setpriv");
  expect(does).toContain("find cat");
});
