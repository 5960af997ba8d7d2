// nspin refresh: what a program without a keeper has lost it has again, and a keeper that goes on.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { makeHost, NAME, serve, TASK_ANSWER } from "../kit/answers.ts";
import { isRunning, keepersOf } from "../kit/keepers.ts";
import { lines } from "../kit/lines.ts";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import type { Program } from "../kit/program.ts";
import { until } from "../kit/until.ts";
import { compile } from "./compile.ts";
import { AS_NOBODY, nspin, start } from "./start.ts";
import { begin, endPrograms, fileOf, HOST_SERVER, json, replace, withTasks } from "./tasks.ts";

const ID = "task1";
const FILE = "/etc/resolv.conf";
const OWN = "nameserver 10.0.0.1";
const NEW = "nameserver 10.9.9.9";

const run = (...options: string[]) => begin([NSPIN, "run", "--netns", ID, ...options, "--"]);

const refresh = async (...words: string[]) => await nspin(["refresh", ...words]);
const DONE = { status: 0, stdout: "", stderr: "" };
const findings = async () =>
  (await json("check")).printed.findings.map(({ kind }: { kind: string }) => kind) as string[];
const seen = async (program: Program, text: string) =>
  await until(async () => (await program.run(`cat ${FILE}`)) === text);

describe.each(["link", "plain"] as const)("where the host's file is a %s", (kind) => {
  withTasks([ID], kind);
  const hostReplaces = () => $`sh -c ${`rm ${FILE} && echo nameserver ${HOST_SERVER} > ${FILE}`}`;

  test("--no-keep: a keeper is there, and keeps; the host's mounts are as they were", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    const before = mountTable();
    expect(await refresh()).toMatchObject(DONE);
    expect(keepersOf(program.pid)).toHaveLength(1);
    expect(await program.run(`grep -c ' ${FILE} ' /proc/self/mountinfo`)).toBe("2");
    await hostReplaces();
    await seen(program, OWN);
    expect(mountTable()).toEqual(before);
    await replace(fileOf(ID), `${NEW}\n`);
    await seen(program, NEW);
    expect(await findings()).toEqual([]);
    expect(await refresh()).toMatchObject(DONE);
    expect(keepersOf(program.pid)).toHaveLength(1); // one is enough
  });

  test("the host has replaced its file: covered again", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    await hostReplaces();
    expect(await program.run(`cat ${FILE}`)).toBe(`nameserver ${HOST_SERVER}`);
    expect(await refresh(String(program.pid))).toMatchObject(DONE);
    expect(await program.run(`cat ${FILE}`)).toBe(OWN);
    expect(await findings()).toEqual([]);
    await hostReplaces();
    await seen(program, OWN);
  });

  test("the source was replaced: the new one is shown", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    await replace(fileOf(ID), `${NEW}\n`);
    expect(await refresh(ID)).toMatchObject(DONE);
    expect(await program.run(`cat ${FILE}`)).toBe(NEW);
    expect(await findings()).toEqual([]);
  });

  test("the keeper was killed: another one goes on with what that had made", async () => {
    const program = await run();
    await until(async () => keepersOf(program.pid).length === 1);
    const [killed] = keepersOf(program.pid) as [number];
    process.kill(killed, "SIGKILL");
    await until(async () => !isRunning(killed));
    await replace(fileOf(ID), `${NEW}\n`);
    await hostReplaces();
    expect(await findings()).toEqual(["detached"]);
    expect(await refresh(String(program.pid))).toMatchObject(DONE);
    expect(await program.run(`cat ${FILE}`)).toBe(NEW);
    await hostReplaces();
    await seen(program, NEW);
    expect(await findings()).toEqual([]);
    await $`mkdir -p /etc/there && mount -t tmpfs there /etc/there && touch /etc/there/file`;
    await until(async () => (await program.run("ls /etc/there")) === "file");
    await program.run("mount -t tmpfs here /etc/there && touch /etc/there/own");
    expect(await $`ls /etc/there`.text()).toBe("own\n");
    await program.run("umount /etc/there");
    await $`umount /etc/there`;
  });
});

describe("each way to cover", () => {
  withTasks([ID], "plain");

  test("a new source by method pin", async () => {
    const program = await run("--method", "pin");
    expect(await refresh()).toMatchObject(DONE);
    expect(keepersOf(program.pid)).toEqual([]); // there is nothing to do for one
    await replace(fileOf(ID), `${NEW}\n`);
    expect(await refresh()).toMatchObject(DONE);
    expect(await program.run(`cat ${FILE}`)).toBe(NEW);
    expect(await findings()).toEqual([]);
  });

  test("method overlay: that a restart is what shows a new source is said", async () => {
    const program = await run("--method", "overlay");
    expect(await refresh()).toMatchObject(DONE);
    await replace(fileOf(ID), `${NEW}\n`);
    const { status, stdout } = await refresh();
    expect([status, stdout]).toEqual([1, expect.stringContaining("; remedy: start it again\n")]);
    expect(keepersOf(program.pid)).toEqual([]);
  });

  test("several files, a directory among them, read-only", async () => {
    await $`mkdir -p /opt/shown /opt/there && touch /opt/shown/file`;
    writeFileSync(`/etc/netns/${ID}/hosts`, "10.1.1.1 task\n");
    const program = await run(
      "--no-keep",
      "--method",
      "rejoin",
      "--read-only",
      "--bind",
      "/opt/shown:/opt/there",
    );
    await replace("/etc/hosts", "host\n");
    await replace(fileOf(ID), `${NEW}\n`);
    expect(await refresh(String(program.pid))).toMatchObject(DONE);
    const words = `cat ${FILE} /etc/hosts; ls /opt/there; echo > ${FILE}; echo > /etc/hosts; touch /opt/there/x`;
    const said = (await program.run(words)).split("\n");
    expect(said.slice(0, 3)).toEqual([NEW, "10.1.1.1 task", "file"]);
    expect(said.slice(3).map((line) => line.split(": ").at(-1))).toEqual(
      Array(3).fill("Read-only file system"),
    );
  });

  test("what the program has mounted on its file stays, and is said", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    await program.run(`mount --bind /etc/hostname ${FILE}`);
    const { status, stdout } = await refresh();
    expect([status, stdout]).toEqual([1, expect.stringContaining(`-- umount ${FILE}\n`)]);
    expect(keepersOf(program.pid)).toEqual([]);
    await program.run(`umount ${FILE}`);
    expect(await refresh()).toMatchObject(DONE);
  });

  test("its source is missing: it is said; and is there once it has come back", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    await $`rm ${fileOf(ID)}`;
    const { status, stdout } = await refresh();
    expect([status, stdout]).toEqual([1, expect.stringContaining(": source-replaced: ")]);
    expect(keepersOf(program.pid)).toHaveLength(1);
    writeFileSync(fileOf(ID), `${NEW}\n`);
    await seen(program, NEW);
  });

  test("the keeper is in the program's cgroup, and in none of the command's files, session or directory", async () => {
    // Where the unified hierarchy is on a host that has the other ones, too, cgroups(7).
    const root = existsSync("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
    if (!existsSync(`${root}/cgroup.procs`)) await $`mkdir -p ${root} && mount -t cgroup2 cgroup2 ${root}`;
    mkdirSync(`${root}/unit`);
    const program = await run("--no-keep", "--method", "rejoin");
    writeFileSync(`${root}/unit/cgroup.procs`, String(program.pid));
    expect(await refresh()).toMatchObject(DONE);
    const [keeper] = keepersOf(program.pid) as [number];
    expect(readFileSync(`/proc/${keeper}/cgroup`, "utf8")).toMatch(/^0::.*\/unit$/m);
    expect(await $`ls -l /proc/${keeper}/fd`.text()).not.toMatch(/pipe|\/dev\/null/);
    const [, , , , group, session] = readFileSync(`/proc/${keeper}/stat`, "utf8").split(" ");
    expect([group, session]).toEqual([String(keeper), String(keeper)]);
    await endPrograms();
    await until(async () => !isRunning(keeper));
    await $`rmdir ${root}/unit`;
  });

  // A keeper has the filter of who starts it.
  test.each([
    ["open_tree", 428],
    ["move_mount", 429],
    ["pidfd_open", 434],
    ["mount_setattr", 442],
  ])("where %s is refused no keeper is started that could cover nothing", async (_, number) => {
    const program = await run("--no-keep", "--method", "rejoin");
    const before = mountTable();
    for (const [error, why] of [
      [38, "Function not implemented (ENOSYS)\nnspin: hint: a keeper needs Linux 5.15"],
      [1, "Operation not permitted (EPERM)\nnspin: hint: a seccomp filter"],
    ] as const) {
      const filter = [compile("refuse"), String(number), String(error)];
      const { status, stdout, stderr } = await start([...filter, NSPIN, "refresh"]);
      expect([status, stdout]).toEqual([
        1,
        expect.stringContaining(`${program.pid} sh (${ID}): no-keeper: `),
      ]);
      expect(stderr).toContain(`nspin: cannot start a keeper for process ${program.pid}: ${why}`);
      expect(keepersOf(program.pid)).toEqual([]);
      expect(await program.run(`cat ${FILE}`)).toBe(OWN);
    }
    // Without pidfd_open(2) the runtime starts no process.
    if (number !== 434) {
      const killed = await start([compile("refuse"), String(number), "0", NSPIN, "refresh"]);
      expect(killed.status).toBe(1);
      expect(killed.stderr).toStartWith(
        `nspin: process ${program.pid}: no keeper is there: what starts it was ended by SIGSYS\nnspin: hint: a seccomp filter kills who`,
      );
      expect(keepersOf(program.pid)).toEqual([]);
    }
    expect(mountTable()).toEqual(before);
    expect(await refresh()).toMatchObject(DONE);
  });

  test.each(["run", "refresh"])(
    "%s where capset(2) is refused: its keeper, which cannot drop capabilities, is known for one",
    async (command) => {
      const CAPSET = process.arch === "arm64" ? "91" : "126";
      const refuse = [compile("refuse"), CAPSET, "1", NSPIN];
      const isRun = command === "run";
      const program = isRun
        ? await begin([...refuse, "run", "--netns", ID, "--"])
        : await run("--no-keep", "--method", "rejoin");
      if (!isRun) expect(await start([...refuse, "refresh"])).toMatchObject(DONE);
      await until(async () => keepersOf(program.pid).length === 1);
      const [keeper] = keepersOf(program.pid) as [number];
      const { printed } = await json("ps");
      expect(printed).toMatchObject([{ pid: program.pid, keeper, state: "ok" }]);
      expect(await refresh()).toMatchObject(DONE);
      expect(keepersOf(program.pid)).toEqual([keeper]);
    },
  );

  test("four at once: one keeper", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    const all = await Promise.all(Array.from({ length: 4 }, () => refresh()));
    expect(all).toMatchObject(Array(4).fill(DONE));
    expect(keepersOf(program.pid)).toHaveLength(1);
  });

  test("where it cannot be alone nothing is done", async () => {
    const program = await run("--no-keep", "--method", "rejoin");
    const inject = ["-e", "trace=flock", "-e", "inject=flock:error=ENOLCK"];
    const { status, stdout, stderr } = await start([
      ...["strace", "-f", "-o", "/dev/null", ...inject],
      ...[NSPIN, "refresh"],
    ]);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toBe("nspin: cannot lock /proc/1/ns/mnt: No locks available (ENOLCK)\n");
    expect(keepersOf(program.pid)).toEqual([]);
  });

  test("who is none of ours, or is not root, is refused", async () => {
    expect((await refresh("1")).status).toBe(125);
    const { status, stderr } = await start([...AS_NOBODY, NSPIN, "refresh"]);
    expect([status, stderr]).toEqual([125, expect.stringContaining("processes of other users")]);
  });
});

describe("what nobody asked for at the launch, as far as can be known, is left to who gives the process id", () => {
  const hosts = `/etc/netns/${ID}/hosts`;
  withTasks([ID], "plain");
  beforeAll(() => writeFileSync("/opt/own", `${NEW}\n`));

  /** It reads what it read; without a keeper it can have one that covers, by its process id. */
  async function isLeft(program: Program, file: string, reads: string): Promise<void> {
    expect(await findings()).toContain("detached");
    const line = `${program.pid} sh (${ID}): detached: ${file}: nothing covers it, so it reads the host's and not /etc/netns/${ID}/`;
    for (const words of [[], [ID]]) {
      const { status, stdout, stderr } = await refresh(...words);
      expect([status, stderr]).toEqual([1, ""]);
      expect(stdout).toContain(line);
      expect(stdout).toContain(
        `(--no-etc); remedy: nspin refresh ${program.pid}, if it is to read that; start it again, if it read another, by --bind\n`,
      );
      expect(keepersOf(program.pid)).toEqual([]);
      expect(await program.run(`cat ${file}`)).toBe(reads);
    }
    expect(await refresh(String(program.pid))).toMatchObject(DONE);
    expect(await program.run(`cat ${file}`)).toBe(
      readFileSync(file.replace("/etc", `/etc/netns/${ID}`), "utf8").trim(),
    );
    expect(await findings()).toEqual([]);
  }

  test("--no-etc, whose last cover the host has taken away", async () => {
    const program = await run("--no-etc", "--bind", `/opt/own:${FILE}`, "--no-keep", "--method", "rejoin");
    expect(await program.run(`cat ${FILE}`)).toBe(NEW);
    await replace(FILE, `nameserver ${HOST_SERVER}\n`);
    await isLeft(program, FILE, `nameserver ${HOST_SERVER}`);
  });

  test("--own-dns, of whose covers the host has taken away all but those in memory", async () => {
    const program = await run("--own-dns", "--no-keep", "--method", "rejoin");
    expect(await program.run(`cat ${FILE}`)).toBe(OWN);
    await replace(FILE, `nameserver ${HOST_SERVER}\n`);
    await isLeft(program, FILE, `nameserver ${HOST_SERVER}`);
  });

  test("--no-etc, that never had one", async () => {
    await isLeft(await run("--no-etc", "--sys"), FILE, `nameserver ${HOST_SERVER}`);
  });

  test("--no-etc, that covers one of the two files in /etc/netns", async () => {
    const program = await run(
      "--no-etc",
      "--bind",
      `${fileOf(ID)}:${FILE}`,
      "--no-keep",
      "--method",
      "rejoin",
    );
    writeFileSync(hosts, "10.1.1.1 task\n");
    await isLeft(program, "/etc/hosts", readFileSync("/etc/hosts", "utf8").trim());
  });

  test("a program that is none of ours, with / shared", async () => {
    const enter = ["nsenter", `--net=/run/netns/${ID}`];
    const program = await begin([...enter, "unshare", "-m", "--propagation", "unchanged"]);
    await isLeft(program, FILE, `nameserver ${HOST_SERVER}`);
  });

  test("of one with a keeper nothing but a start covers more", async () => {
    const program = await run();
    await until(async () => keepersOf(program.pid).length === 1);
    writeFileSync(hosts, "10.1.1.1 task\n");
    const { status, stdout } = await refresh(String(program.pid));
    expect([status, stdout]).toEqual([
      1,
      expect.stringContaining("; remedy: start it again, if it is to read that\n"),
    ]);
  });
});

describe("nothing is covered with what nobody asked for", () => {
  const hosts = `/etc/netns/${ID}/hosts`;
  const own = "10.1.1.1 own";
  withTasks([ID], "plain");
  beforeEach(async () => {
    await $`mkdir -p /opt/there /opt/usb && touch /opt/there/file`;
    writeFileSync("/opt/own", `${own}\n`);
  });
  afterEach(async () => {
    await $`rm -f ${hosts}`;
  });

  async function killKeeper(program: Program): Promise<void> {
    const [keeper] = keepersOf(program.pid) as [number];
    process.kill(keeper, "SIGKILL");
    await until(async () => !isRunning(keeper));
    writeFileSync(hosts, "10.9.9.9 of nobody\n");
  }
  async function runKept(...options: string[]): Promise<Program> {
    const program = await run(...options);
    await until(async () => keepersOf(program.pid).length === 1);
    await Bun.sleep(100); // it holds what it lays by then
    return program;
  }
  const reads = async (program: Program, text: string) =>
    await until(async () => (await program.run("cat /etc/hosts")) === text);

  test("a copy of a source that is gone: the source is followed, by the name that it had", async () => {
    const program = await runKept("--bind", "/opt/own:/etc/hosts");
    await $`rm /opt/own`;
    await replace("/etc/hosts", "host\n");
    await reads(program, own);
    await killKeeper(program);
    expect((await json("ps")).printed[0].covers).toContainEqual(
      expect.objectContaining({ source: "/opt/own", target: "/etc/hosts" }),
    );
    const { status, stdout } = await refresh(String(program.pid));
    const line = `${program.pid} sh (${ID}): source-replaced: /etc/hosts: it reads a copy of /opt/own, which was removed or replaced; remedy: put /opt/own back, which its keeper then shows, or start it again\n`;
    expect([status, stdout]).toEqual([1, line]);
    expect(await program.run("cat /etc/hosts")).toBe(own);
    writeFileSync("/opt/own", "10.1.1.2 new\n");
    await reads(program, "10.1.1.2 new");
    expect(await findings()).toEqual([]);
  });

  test("a source that the host has unmounted: what covers is kept, and no other is followed", async () => {
    await $`mount -t tmpfs usb /opt/usb && cp /opt/own /opt/usb/hosts`;
    const program = await runKept("--bind", "/opt/usb/hosts:/etc/hosts");
    await $`umount -l /opt/usb`;
    await killKeeper(program);
    expect(await findings()).toEqual(["no-keeper"]);
    expect(await refresh()).toMatchObject(DONE);
    await Bun.sleep(200);
    expect(await program.run("cat /etc/hosts")).toBe(own);
    await replace("/etc/hosts", "host\n");
    await reads(program, own);
    expect(await findings()).toEqual([]);
  });

  test("the last cover of a directory is gone: that it is lost is known, and not what it was", async () => {
    await $`ip netns add bare`;
    const covers = ["--no-etc", "--bind", "/opt/own:/opt/there/file"];
    const program = await begin([NSPIN, "run", "--netns", "bare", ...covers, "--"]);
    await until(async () => keepersOf(program.pid).length === 1);
    await killKeeper(program);
    await replace("/opt/there/file", "host\n");
    const line = `${program.pid} sh (bare): detached: /opt/there: nothing is covered in there any more, and nothing tells what was; remedy: start it again\n`;
    expect(await nspin(["check"])).toMatchObject({ status: 1, stdout: line, stderr: "" });
    expect((await json("ps")).printed).toMatchObject([{ pid: program.pid, state: "detached" }]);
    for (const words of [[], ["bare"], [String(program.pid)]])
      expect(await refresh(...words)).toMatchObject({ status: 1, stdout: line, stderr: "" });
    expect(keepersOf(program.pid)).toEqual([]);
    await endPrograms();
    await $`ip netns delete bare`;
  });
});

test("without a restart: Go's resolver asks the new server, and glibc's", async () => {
  const end = await makeHost(ID);
  const other = serve(["ip", "netns", "exec", ID], "127.0.0.252", "192.0.2.3");
  const go = "/tmp/nspin-resolves";
  const env = { ...process.env, CGO_ENABLED: "0", GOCACHE: "/tmp/go" };
  await $`go build -o ${go} test/root/resolves.go`.env(env);
  const perl =
    'use Socket; $| = 1; while (<STDIN>) { chomp; my $a = gethostbyname($_); print $a ? inet_ntoa($a) : 0, "\\n" }';
  writeFileSync(fileOf(ID), "nameserver 127.0.0.253\n");
  const asking = [[go], ["perl", "-e", perl]].map((words) => {
    const command = [NSPIN, "run", "--netns", ID, "--no-keep", "--method", "rejoin", "--", ...words];
    const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe" });
    const answers = lines(child.stdout);
    const asks = async () => {
      child.stdin.write(`${NAME}\n`);
      child.stdin.flush();
      return (await answers.next()).value as string;
    };
    return { child, asks };
  });
  for (const { asks } of asking) expect(await asks()).toContain(TASK_ANSWER);
  await replace(fileOf(ID), "nameserver 127.0.0.252\n");
  await Bun.sleep(6000); // Go looks at the file every 5 s
  for (const { asks } of asking) expect(await asks()).toContain(TASK_ANSWER); // the old file is what it has
  expect(await refresh()).toMatchObject(DONE);
  for (const { child, asks } of asking) {
    await until(async () => (await asks()).includes("192.0.2.3"), 20_000);
    child.stdin.end();
    await child.exited;
  }
  other.kill();
  await other.exited;
  await end();
}, 120_000);
