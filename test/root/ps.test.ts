// nspin ps: every program of ours, nobody else's, and what becomes of each.
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { published } from "../kit/published.ts";
import { until } from "../kit/until.ts";
import { compile } from "./compile.ts";
import { AS_NOBODY, enterBy, entries, start } from "./start.ts";
import { begin, endPrograms, fileOf, json, replace, withTasks } from "./tasks.ts";

const IDS = ["task1", "task2"];
const [ID, OTHER] = IDS as [string, string];

const others: Bun.Subprocess[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) {
    other.kill("SIGKILL");
    await other.exited;
  }
});
withTasks(IDS);

const byNspin = (...options: string[]) => begin([NSPIN, "run", "--netns", ID, ...options, "--"]);

/** Under way, and no program of ours. */
function beside(words: readonly string[]): void {
  others.push(Bun.spawn([...words], { stdin: "pipe", stdout: "ignore", stderr: "ignore" }));
}

const ps = async () => (await json("ps")).printed;
/** What is said of the only one. */
const only = async () => {
  const all = await ps();
  expect(all).toHaveLength(1);
  return all[0];
};

describe("what it says of a program", () => {
  test.each(entries)("started by %s", async (entry) => {
    const { pid } = await begin(enterBy(entry, ["--netns", ID]));
    await until(async () => (await only()).keeper !== null);
    const keepers = (await $`pgrep -x nspin-keeper`.text()).trim();
    const { since, netnsInode, ...said } = await only();
    expect(said).toEqual({
      pid,
      program: "sh",
      netns: ID,
      covers: [{ source: fileOf(ID), target: "/etc/resolv.conf", method: "rejoin", readOnly: false }],
      servers: ["10.0.0.1"],
      keeper: Number(keepers),
      state: "ok",
    });
    expect(netnsInode).toBe((await Bun.file(`/run/netns/${ID}`).stat()).ino);
    expect(Math.abs(Date.parse(since) - Date.now())).toBeLessThan(60_000);
  });

  test.each([
    [["--no-keep"], "rejoin"],
    [["--method", "rejoin"], "rejoin"],
    [["--method", "pin"], "pin"],
    [["--method", "overlay"], "overlay"],
    [["--method", "overlay", "--read-only"], "overlay"],
  ])("%p", async (options, method) => {
    await byNspin(...options);
    const { covers, keeper, state } = await only();
    expect(covers).toEqual([
      {
        ...{ source: fileOf(ID), target: "/etc/resolv.conf", method },
        readOnly: options.includes("--read-only"),
      },
    ]);
    expect([keeper, state]).toEqual([null, "ok"]);
  });

  test("started by a user who may, whose keeper is that user's", async () => {
    const may = ["--inh-caps=+sys_admin", "--ambient-caps=+sys_admin"];
    await begin([...AS_NOBODY, ...may, NSPIN, "run", "--netns", ID, "--"]);
    await until(async () => (await only()).keeper !== null);
    expect(await only()).toMatchObject({ state: "ok" });
  });

  test("a user of a user namespace, by a keeper's name and with what it has, is no keeper", async () => {
    const { pid } = await byNspin("--no-keep");
    symlinkSync("/bin/sleep", "/opt/nspin-keeper");
    const few = ["--inh-caps=-all,+sys_admin", "--bounding-set=-all,+sys_admin"];
    const own = ["unshare", "--user", "--map-root-user", "setpriv", ...few, "/opt/nspin-keeper", "300"];
    beside(["nsenter", "--target", String(pid), "--mount", ...AS_NOBODY, ...own]);
    await until(() => $`pgrep -x nspin-keeper`.quiet().then(() => true));
    const status = await $`sh -c 'cat /proc/$(pgrep -x nspin-keeper)/status'`.text();
    expect(status).toMatch(/^CapPrm:\t0000000000200000$/m);
    expect((await only()).keeper).toBeNull();
  });

  test("on a mount that is not shared, and a directory", async () => {
    await $`mkdir -p /opt/shown /opt/private/in && mount -t tmpfs private /opt/private && mkdir /opt/private/in`;
    await $`mount --make-private /opt/private`;
    await byNspin("--no-etc", "--bind", "/opt/shown:/opt/private/in");
    await until(async () => (await only()).keeper !== null);
    const { covers } = await only();
    expect(covers).toMatchObject([{ source: "/opt/shown", target: "/opt/private/in", method: "cover" }]);
    await $`umount -l /opt/private`;
  });

  test("several files, spaces and all, and the source of the keeper's cover after it has covered again", async () => {
    writeFileSync(`/etc/netns/${ID}/hosts`, "10.1.1.1 task\n");
    writeFileSync("/etc/a file", "host\n");
    writeFileSync("/opt/a source", "task\n");
    const program = await byNspin("--bind", "/opt/a source:/etc/a file");
    await until(async () => (await only()).keeper !== null);
    await replace("/etc/hosts", "host\n");
    await until(async () => (await program.run("cat /etc/hosts")) === "10.1.1.1 task");
    const { covers, state } = await only();
    const pairs = covers.map(({ source, target }: Record<string, string>) => [source, target]).sort();
    expect(pairs).toEqual([
      [fileOf(ID).replace("resolv.conf", "hosts"), "/etc/hosts"],
      [fileOf(ID), "/etc/resolv.conf"],
      ["/opt/a source", "/etc/a file"],
    ]);
    expect(state).toBe("ok");
  });

  test("in a table, on one line each, whatever their names", async () => {
    const { stdout } = await start([NSPIN, "ps"]);
    expect(stdout).toBe("PID  PROGRAM  NETNS  METHOD  DNS  KEEPER  STATE  SINCE  FILES\n");
    const program = await byNspin("--method", "overlay");
    await program.run("printf 'a\\033[m\\n\\302\\233\\342\\200\\256b' > /proc/self/task/$$/comm");
    const lines = (await start([NSPIN, "ps"])).stdout.split("\n");
    const words = lines[1]?.split(/ {2,}/);
    expect(words).toEqual([
      ...[String(program.pid), "a\\x1b[m\\x0a\\x9b\\u{202e}b", ID, "overlay", "10.0.0.1", "-", "ok"],
      expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/),
      "/etc/resolv.conf",
    ]);
    expect(lines).toHaveLength(3);
    expect((await json("ps")).printed[0].program).toBe("a\x1b[m\n\x9b\u202eb");
    expect((await start([NSPIN, "ps", "--json"])).stdout).not.toMatch(/[\x1b\x7f-\x9f\u202e]/);
  });

  test("whose first process has ended: the eldest of the others", async () => {
    const program = await byNspin("--no-keep");
    const child = await program.run("sleep 300 > /dev/null & echo $!");
    await endPrograms();
    expect(await only()).toMatchObject({ pid: Number(child), program: "sleep", netns: ID, state: "ok" });
    process.kill(Number(child));
  });

  test("whose first thread has ended", async () => {
    beside([NSPIN, "run", "--netns", ID, "--no-keep", "--", compile("leaderless")]);
    await until(async () => (await ps()).length === 1);
    expect(await only()).toMatchObject({ program: "nspin-leaderless", netns: ID });
  });

  test.each([
    ["", NSPIN],
    [", also when its own file is gone by then", "/opt/nspin-gone"],
  ])("--watch says it again%s", async (_, nspin) => {
    if (nspin !== NSPIN) await $`cp ${NSPIN} ${nspin}`;
    const watch = Bun.spawn([nspin, "ps", "--watch", "--json"], { stdout: "pipe" });
    const reader = watch.stdout.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    if (nspin !== NSPIN) await $`rm ${nspin}`;
    await byNspin();
    let more = "";
    while (!more.includes(ID)) more = new TextDecoder().decode((await reader.read()).value);
    watch.kill();
    expect([JSON.parse(first), JSON.parse(more)]).toMatchObject([[], [{ netns: ID }]]);
  });
});

describe("states", () => {
  test("detached: the host has replaced the link; and it is over when it is covered again", async () => {
    await byNspin("--no-keep");
    expect((await only()).state).toBe("ok");
    await $`sh -c "ln -sfn /run/other.conf /etc/link && mv -T /etc/link /etc/resolv.conf"`;
    writeFileSync("/run/other.conf", "nameserver 192.0.2.99\n");
    expect(await only()).toMatchObject({ state: "detached", servers: ["192.0.2.99"], covers: [] });
  });

  test("detached: one of two files", async () => {
    writeFileSync(`/etc/netns/${ID}/hosts`, "10.1.1.1 task\n");
    await byNspin("--method", "rejoin");
    await replace("/etc/hosts", "host\n");
    expect(await only()).toMatchObject({ state: "detached", covers: [{ target: "/etc/resolv.conf" }] });
  });

  test("source replaced: by rename, and by a rename of the old one", async () => {
    await byNspin("--no-keep");
    await replace(fileOf(ID), "nameserver 10.9.9.9\n");
    expect(await only()).toMatchObject({ state: "source-replaced", servers: ["10.0.0.1"] });
    await byNspin("--no-keep");
    await $`sh -c ${`mv ${fileOf(ID)} ${fileOf(ID)}~ && echo > ${fileOf(ID)}`}`;
    expect((await ps()).map(({ state }: { state: string }) => state)).toEqual(
      Array(2).fill("source-replaced"),
    );
  });

  test("a source that is replaced is shown by the keeper, and all is as it shall be", async () => {
    await byNspin();
    await until(async () => (await only()).keeper !== null);
    await replace(fileOf(ID), "nameserver 10.9.9.9\n");
    await until(async () => (await only()).servers[0] === "10.9.9.9");
    expect((await only()).state).toBe("ok");
  });

  test("netns gone: its name was deleted, and made anew", async () => {
    await byNspin();
    await $`ip netns delete ${ID}`;
    expect(await only()).toMatchObject({ netns: null, state: "netns-gone" });
    await $`ip netns add ${ID}`;
    expect(await only()).toMatchObject({ netns: null, state: "netns-gone" });
  });

  test("netns differs: it has gone to another", async () => {
    await begin([NSPIN, "run", "--netns", ID, "--", "nsenter", `--net=/run/netns/${OTHER}`]);
    expect(await only()).toMatchObject({ netns: OTHER, state: "netns-differs" });
  });

  test("propagation lost, and found again", async () => {
    const program = await byNspin();
    await $`mkdir -p /opt/shared && mount -t tmpfs shared /opt/shared`;
    await program.run("mount --make-private /opt/shared");
    expect((await only()).state).toBe("propagation-lost");
    await $`umount /opt/shared`;
    await program.run("umount /opt/shared");
    expect((await only()).state).toBe("ok");
  });

  test("unanswered: its file is on a file system that hangs; the others are told of", async () => {
    const program = await byNspin("--no-keep");
    await byNspin("--no-keep");
    beside([NSPIN, "run", "--netns", ID, "--no-keep", "--", "unshare", "--mount", compile("hangs"), "/etc"]);
    await until(async () => (await ps()).length === 3, 60_000);
    const states = Object.fromEntries(
      (await ps()).map(({ pid, state }: { pid: number; state: string }) => [pid, state]),
    );
    expect(Object.values(states).sort()).toEqual(["ok", "ok", "unanswered"]);
    expect(states[program.pid]).toBe("ok");
  }, 120_000);
});

describe("who is none of ours", () => {
  test.each([
    ["ip netns exec", ["ip", "netns", "exec", ID, "cat"]],
    ["nsenter", ["nsenter", `--net=/run/netns/${ID}`, "cat"]],
    ["the published sequence", ["sh", "-c", published(ID), "cat"]],
    ["unshare", ["unshare", "--mount", "cat"]],
    ["unshare with shared mounts", ["unshare", "--mount", "--propagation", "unchanged", "cat"]],
    ["a container", ["unshare", "--mount", "--pid", "--fork", "--uts", "--net", "cat"]],
  ])("%s", async (_, words) => {
    const before = readdirSync("/proc").length;
    beside(words);
    await until(async () => readdirSync("/proc").length > before);
    await Bun.sleep(200);
    expect(await ps()).toEqual([]);
  });

  // With namespaces of his own a user can make the very mounts.
  const fakes =
    "mount --bind /etc/resolv.conf /etc/resolv.conf; mount --make-private /etc/resolv.conf; " +
    "mount --bind /tmp/fake /etc/resolv.conf; mount --make-private /etc/resolv.conf; ";
  test("a user with mounts like ours in a user namespace of his own, whatever his processes' names", async () => {
    writeFileSync("/tmp/fake", "nameserver 6.6.6.6\n");
    await $`rm -f /etc/resolv.conf && echo > /etc/resolv.conf`;
    symlinkSync("/bin/sleep", "/tmp/nspin-keeper");
    const script = `${fakes} grep -c /etc/resolv.conf /proc/self/mountinfo > /tmp/fakes; /tmp/nspin-keeper 300 & exec sleep 300`;
    await $`rm -f /tmp/fakes && chmod 1777 /tmp`;
    beside([...AS_NOBODY, "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]);
    await until(async () => readFileSync("/tmp/fakes", "utf8").trim() === "2");
    expect(await ps()).toEqual([]);
    beside(["unshare", "--mount", "--propagation", "private", "sh", "-c", `${fakes} exec sleep 300`]);
    await until(async () => (await ps()).length === 1); // as root: so it was not the mounts that were wrong
  });

  test("a user's mount table, which he can make as long as he likes, is not even read", async () => {
    beside([...AS_NOBODY, "unshare", "--user", "--map-root-user", "--mount", "sleep", "300"]);
    const pid = others[0]?.pid;
    await until(async () => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n");
    const program = await byNspin("--no-keep");
    const command = ["strace", "-f", "-e", "trace=openat", "-o", "/tmp/ps.opened", NSPIN, "ps"];
    expect((await start(command)).stdout).toContain(ID);
    const opened = readFileSync("/tmp/ps.opened", "utf8");
    expect(opened).toContain(`/proc/${program.pid}/mountinfo`);
    expect(opened).not.toContain(`/proc/${pid}/mountinfo`);
  });

  test.each([
    ["that stays the user's", () => "/bin/sleep"],
    ["that becomes root's", () => compile("becomes-root")],
  ])("a user's process by a keeper's name, of a setuid file %s, is no keeper", async (_, file) => {
    await $`cp ${file()} /opt/setuid && chmod 4755 /opt/setuid && ln -sf /opt/setuid /tmp/nspin-keeper`;
    const nobody = ["setpriv", "--reuid=65534", "--clear-groups"];
    const program = await begin([NSPIN, "run", "--netns", ID, "--no-keep", "--", ...nobody]);
    await program.run("/tmp/nspin-keeper 300 > /dev/null & sleep 0.3");
    expect(await $`pgrep -x nspin-keeper`.text()).not.toBe("");
    expect((await only()).keeper).toBeNull();
    await $`pkill -x nspin-keeper`;
  });
});

test("without root: its own, and it says that there are others", async () => {
  await byNspin();
  const { stdout, stderr, status } = await start([...AS_NOBODY, NSPIN, "ps"]);
  expect(stdout.split("\n")).toHaveLength(2);
  expect(stderr).toMatch(/^nspin: cannot look at \d+ processes of other users: run it as root, /);
  expect(status).toBe(0);
});

test("without root, where it is one process that cannot be looked at: in the singular", async () => {
  const inner = `mount -t proc proc /proc && exec ${AS_NOBODY.join(" ")} ${NSPIN} ps`;
  const command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", `sh -c '${inner}'; exit $?`];
  const { stderr } = await start(command);
  expect(stderr).toBe(
    "nspin: cannot look at 1 process of another user: run it as root, with CAP_SYS_PTRACE\n",
  );
});

test.each([
  ["hidepid=1", /^nspin: cannot look at \d+ processes of other users: /],
  ["hidepid=2", /^nspin: cannot look at processes of other users, which \/proc hides \(hidepid=\): /],
])(
  "without root, and /proc with %s: it says so, and check does not say that all is well",
  async (option, said) => {
    await byNspin("--no-keep");
    const user = `${AS_NOBODY.join(" ")} ${NSPIN}`;
    const as = (command: string) => `mount -t proc -o ${option} proc /proc && exec ${user} ${command}`;
    expect((await start(["unshare", "--mount", "sh", "-c", as("ps")])).stderr).toMatch(said);
    const { status, stderr } = await start(["unshare", "--mount", "sh", "-c", as("check")]);
    expect([status, stderr.split("\n")[1]]).toEqual([
      125,
      expect.stringMatching(/^nspin: hint: run it as root/),
    ]);
  },
);

test("when a program was started, also where /proc does not tell when the machine was", async () => {
  await byNspin("--no-keep");
  const script = `mount -t proc -o subset=pid proc /proc && exec ${NSPIN} ps --json`;
  const { stdout } = await start(["unshare", "--mount", "sh", "-c", script]);
  expect(Math.abs(Date.parse(JSON.parse(stdout)[0].since) - Date.now())).toBeLessThan(60_000);
});

describe("among 5,000 processes", () => {
  const COUNT = 5000;
  /** By system calls: two a process, and no more; the time is the machine's. */
  const CALLS = 2;
  /** Milliseconds of processor time of all of it, the runtime's start too; 50 is the aim for the pass alone, idle. */
  const TIME = 250;
  test("few calls a process, in little time", async () => {
    await byNspin("--no-keep");
    beside([
      "perl",
      "-e",
      `for (1 .. ${COUNT}) { fork or do { sleep 300; exit } } $SIG{TERM} = sub { kill KILL => -getpgrp }; setpgrp; <STDIN>`,
    ]);
    await until(async () => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length > COUNT, 60_000);
    const command = ["strace", "-f", "-c", "-o", "/tmp/ps.calls", NSPIN, "ps", "--json"];
    expect(JSON.parse((await start(command)).stdout)).toHaveLength(1);
    const calls = readFileSync("/tmp/ps.calls", "utf8")
      .split("\n")
      .filter((line) => /\d/.test(line));
    const total = Number(calls.at(-1)?.trim().split(/ +/)[3]);
    expect(total).toBeGreaterThan(COUNT);
    expect(total).toBeLessThan(CALLS * COUNT);
    const child = Bun.spawn([NSPIN, "ps"], { stdout: "ignore" });
    await child.exited;
    const { cpuTime } = child.resourceUsage() as { cpuTime: { total: bigint } };
    const took = Number(cpuTime.total) / 1000;
    console.log(
      `${COUNT} processes: ${(total / COUNT).toFixed(2)} calls a process, ${took.toFixed(0)} ms of processor time`,
    );
    expect(took).toBeLessThan(TIME);
  }, 120_000);
});
