// The keeper: a process beside the program, which the program cannot tell, and which covers again
// what the host uncovers. What each method does by itself is in test/method.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { basename, dirname } from "node:path";
import { $ } from "bun";
import { isAtRest, isRunning, keepers, keepersOf, membersOf } from "../kit/keepers.ts";
import { mountinfo, mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { type Entry, entries, type Kind, Stage } from "../kit/stage.ts";
import { until } from "../kit/until.ts";
import { atEachCall, delayed } from "./at-call.ts";
import { compile } from "./compile.ts";
import { start } from "./start.ts";

async function onStage(kind: Kind, body: (stage: Stage) => Promise<void>, entry: Entry = "launcher") {
  const stage = await Stage.make(kind, entry);
  try {
    await body(stage);
  } finally {
    await stage.end();
  }
}

/** A program of the shell whose file covers the stage's; it is ended. */
async function kept(
  stage: Stage,
  body: (program: Program) => Promise<void>,
  words = stage.covering("auto"),
  keepers = 1,
) {
  const program = new Program(words);
  try {
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    await until(async () => keepersOf(program.pid).length === keepers); // it has its name
    await body(program);
  } finally {
    await program.end();
  }
}

const of = (pid: number, file: string) => readFileSync(`/proc/${pid}/${file}`, "utf8");
/** A line of /proc/PID/status. */
const status = (pid: number, name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, "m").exec(of(pid, "status"))?.[1];
function keeperOf(pid: number): number {
  const all = keepersOf(pid);
  expect(all).toHaveLength(1);
  return all[0] as number;
}

/** The program reads this, soon. */
async function reads(program: Program, file: string, text: string): Promise<void> {
  let seen = "";
  await until(async () => {
    seen = await program.run(`cat ${file}`);
    return seen === text;
  }).catch(() => {});
  expect(seen).toBe(text);
}

const ended = (pid: number) => until(async () => !isRunning(pid));
/** Who does not end has had the time to. */
const stays = async (pid: number) => {
  await Bun.sleep(100);
  expect(isRunning(pid)).toBeTrue();
};

/** By the system's shell and tools: Bun's own mv(1) has no -T. */
const sh = (script: string) => $`sh -c ${script}`.quiet();
const replace = ({ file }: Stage) => sh(`echo new > ${file}.new && mv -fT ${file}.new ${file}`);

afterAll(() => until(async () => keepers().length === 0));

// --- what the program can tell ---

describe.each(entries)("by %s", (entry) => {
  test("the program has no child, no signal that waits, no descriptor, no session or group of its own", () =>
    onStage(
      "plain",
      (stage) =>
        kept(stage, async ({ pid, run: _ }) => {
          expect(keepersOf(pid)).toHaveLength(1);
          expect(of(pid, `task/${pid}/children`)).toBe("");
          expect([status(pid, "SigPnd"), status(pid, "ShdPnd")]).toEqual(Array(2).fill("0".repeat(16)));
          expect(readdirSync(`/proc/${pid}/fd`).sort()).toEqual(["0", "1", "2"]);
          const [, , , parent, group, session] = of(pid, "stat").split(" ");
          const [, , , , ownGroup, ownSession] = of(process.pid, "stat").split(" ");
          expect([parent, group, session]).toEqual([String(process.pid), ownGroup, ownSession]);
        }),
      entry,
    ));

  test("the host's mount table is as before, to the byte, while it runs and after it", () =>
    onStage(
      "plain",
      async (stage) => {
        await kept(stage, async (program) => {
          expect(mountinfo()).toBe(stage.before);
          await replace(stage);
          await reads(program, stage.file, "task");
          expect(mountinfo()).toBe(stage.before);
        });
        expect(mountinfo()).toBe(stage.before);
        expect(readFileSync(stage.file, "utf8")).toBe("new\n");
      },
      entry,
    ));
});

test("no SIGCHLD comes and nothing can be waited for, also when the keeper is killed", () =>
  onStage("plain", async (stage) => {
    const program = new Program([
      ...stage.covering("auto"),
      "perl",
      "-MPOSIX",
      "-e",
      '$SIG{CHLD} = sub { $told++ }; sub say_it { print "$_[0] ", waitpid(-1, 1 | 0x40000000), " ", $told + 0, "\\n"; } $| = 1;' +
        'say_it("began"); while (<STDIN>) { say_it("now"); print "--- 0\\n"; }',
    ]);
    expect(await program.run("")).toBe("began -1 0\nnow -1 0");
    const keeper = keeperOf(program.pid);
    process.kill(keeper, "SIGKILL");
    await ended(keeper);
    expect(await program.run("")).toBe("now -1 0");
    await program.end();
  }));

// --- what it is ---

test("the keeper: process 1's child, in a session of its own, in /, by that name, with four capabilities", () =>
  onStage("plain", (stage) =>
    kept(stage, async ({ pid }) => {
      const keeper = keeperOf(pid);
      await until(async () => isAtRest(keeper));
      const [, , , parent, group, session, terminal] = of(keeper, "stat").split(" ");
      expect([parent, group, session, terminal]).toEqual(["1", String(keeper), String(keeper), "0"]);
      expect(of(keeper, "comm")).toBe("nspin-keeper\n");
      expect(of(keeper, "cmdline")).toBe(`nspin-keeper\0${pid}\0sh\0`);
      expect(of(keeper, "environ")).toBe("");
      expect([readlinkSync(`/proc/${keeper}/cwd`), readlinkSync(`/proc/${keeper}/root`)]).toEqual(["/", "/"]);
      const kept = (1n << 21n) | (1n << 19n) | (1n << 18n) | (1n << 2n); // SYS_ADMIN, SYS_PTRACE, SYS_CHROOT, DAC_READ_SEARCH
      const capabilities = ["CapEff", "CapPrm", "CapInh", "CapAmb"].map((name) =>
        BigInt(`0x${status(keeper, name)}`),
      );
      expect(capabilities).toEqual([kept, kept, 0n, 0n]);
    }),
  ));

test.each(entries)("by %s it has 256 KiB at most, no descriptor of the program's, and one thread", (entry) =>
  onStage(
    "plain",
    (stage) =>
      kept(stage, async ({ pid }) => {
        const keeper = keeperOf(pid);
        await Bun.sleep(100);
        expect(Number.parseInt(status(keeper, "VmRSS") as string, 10)).toBeLessThan(256);
        expect(status(keeper, "Threads")).toBe("1");
        const links = readdirSync(`/proc/${keeper}/fd`).map((fd) => readlinkSync(`/proc/${keeper}/fd/${fd}`));
        expect(links.filter((link) => !/^(anon_inode:\[(signalfd|pidfd)\]|\/.*)$/.test(link))).toEqual([]);
        expect(links.filter((link) => link.startsWith("/dev/"))).toEqual([]);
        expect(links.length).toBeLessThan(24);
      }),
    entry,
  ),
);

test.each(entries)("by %s it has no descriptor of the program's when it begins to run", (entry) =>
  onStage(
    "plain",
    async (stage) => {
      const setsid = process.arch === "x64" ? "112" : "157"; // its first system call
      const look =
        'for p in /proc/[0-9]*; do read -r n < $p/comm; [ "$n" != nspin-keeper ] || echo $p/fd/*; done';
      const words = [compile("detain"), setsid, ...stage.covering("auto"), "sh", "-c", look];
      const { stdout, stderr, status } = await start(words);
      const fds = stdout
        .trim()
        .split(" ")
        .map((path) => Number(basename(path)));
      expect({ stderr, status, own: fds.length > 2 && fds.length < 10 }).toEqual({
        stderr: "",
        status: 0,
        own: true,
      });
      expect(fds.filter((fd) => fd < 3)).toEqual([]);
      await until(async () => keepers().length === 0);
    },
    entry,
  ),
);

/** A launch that waits where it joins the network namespace; act: meanwhile, when the keeper is there. */
function beforeExecve(stage: Stage, entry: Entry, program: string[], act: () => Promise<unknown>) {
  const words = stage.command("--netns", "keeper", "--no-etc", "--bind", `${stage.source}:${stage.file}`);
  const own = entry === "run" ? [...words.slice(0, 2), "--enter", "setns", ...words.slice(2)] : words;
  return delayed("setns:when=1", [...own, ...program], act);
}

test.each(entries)("by %s it keeps while execve(2) is still to come", (entry) =>
  onStage(
    "plain",
    async (stage) => {
      const seen = await beforeExecve(stage, entry, ["cat", stage.file], async () => {
        await replace(stage);
        const seen = `/proc/${keepers()[0]}/root${stage.file}`;
        await until(async () => readFileSync(seen, "utf8") === "task\n", 500);
      });
      expect(seen).toMatchObject({ status: 0, stdout: "task\n", stderr: "" });
    },
    entry,
  ),
);

// Where it is shared, execve(2) looks through all of them.
test.each(entries)("by %s it shares no memory on a host with thousands of processes", (entry) =>
  onStage(
    "plain",
    async (stage) => {
      const isShared = async () => {
        const before = keepers();
        let status: number | undefined;
        await beforeExecve(stage, entry, ["true"], async () => {
          const keeper = keepers().find((pid) => !before.includes(pid));
          let launch: string | undefined;
          await until(async () => {
            const files = readdirSync(`/proc/${keeper}/fdinfo`).map(
              (fd) => readFileSync(`/proc/${keeper}/fdinfo/${fd}`, "utf8"), // it can close one meanwhile
            );
            launch = files.join("").match(/^Pid:\t(\d+)$/m)?.[1];
            return launch !== undefined;
          });
          status = (await $`${compile("same-memory")} ${keeper} ${launch}`.nothrow()).exitCode;
        });
        expect(status).toBeLessThan(2);
        return status === 0;
      };
      const threads = Number(readFileSync("/proc/loadavg", "utf8").match(/\/(\d+)/)?.[1]);
      if (threads < (entry === "run" ? 2000 : 250)) expect(await isShared()).toBeTrue();
      const many = Bun.spawn([compile("many"), "2600"], { stdout: "pipe" });
      try {
        await many.stdout.getReader().read();
        expect(await isShared()).toBeFalse();
      } finally {
        many.kill();
        await many.exited;
      }
    },
    entry,
  ),
);

test("where the process between is killed, nothing is started", () =>
  onStage("plain", async (stage) => {
    const capset = process.arch === "x64" ? "126" : "91"; // SystemCallFilter= without SystemCallErrorNumber=
    const seen = await start([compile("refuse"), capset, "0", ...stage.covering("auto"), "echo", "started"]);
    expect(seen).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringContaining("cannot start the keeper"),
    });
    expect(mountinfo()).toBe(stage.before);
  }));

test("where close_range(2) is refused it has no descriptor of the program's either", () =>
  onStage("plain", (stage) => {
    const closeRange = "436"; // on every architecture
    const words = [compile("refuse"), closeRange, String(constants.errno.EPERM), ...stage.covering("auto")];
    return kept(
      stage,
      async ({ pid }) => {
        const keeper = keeperOf(pid);
        const streams = () =>
          readdirSync(`/proc/${keeper}/fd`).filter((fd) =>
            /^(pipe|socket):/.test(readlinkSync(`/proc/${keeper}/fd/${fd}`)),
          );
        await until(() => Promise.resolve(streams().length === 0));
      },
      words,
    );
  }));

test("it is in the program's mount namespace, and in the caller's network namespace", () =>
  onStage("plain", (stage) =>
    kept(
      stage,
      async ({ pid }) => {
        const namespace = (pid: number, name: string) => readlinkSync(`/proc/${pid}/ns/${name}`);
        const keeper = keeperOf(pid);
        expect(namespace(keeper, "mnt")).not.toBe(namespace(process.pid, "mnt"));
        expect(namespace(keeper, "net")).toBe(namespace(process.pid, "net"));
        expect(namespace(pid, "net")).not.toBe(namespace(process.pid, "net"));
      },
      stage.command("--netns", "keeper", "--no-etc", "--bind", `${stage.source}:${stage.file}`),
    ),
  ));
beforeAll(() => $`ip netns add keeper`.then(() => {}));
afterAll(() => $`ip netns del keeper`.then(() => {}));

test("--no-keep, and each method by name: there is none", () =>
  onStage("link", async (stage) => {
    for (const method of ["auto --no-keep", "pin", "rejoin", "overlay"])
      await kept(
        stage,
        async ({ pid }) => {
          expect(keepersOf(pid)).toEqual([]);
        },
        stage.covering(method),
        0,
      );
  }));

test("a launch without covers has none", async () => {
  const { stdout, status } = await start([
    NSPIN,
    "run",
    "--netns",
    "keeper",
    "--no-etc",
    "sh",
    "-c",
    "pgrep -c nspin-keeper",
  ]);
  expect({ stdout, status }).toEqual({ stdout: "0\n", status: 1 });
});

// --- how long it stays ---

test("it ends when the program has ended", () =>
  onStage("plain", async (stage) => {
    let keeper = 0;
    await kept(stage, async ({ pid }) => {
      keeper = keeperOf(pid);
      await stays(keeper);
    });
    await ended(keeper);
  }));

test("it ends when the program was killed", () =>
  onStage("plain", async (stage) => {
    const child = Bun.spawn([...stage.covering("auto"), "sleep", "60"]);
    await until(async () => keepersOf(child.pid).length === 1);
    const keeper = keeperOf(child.pid);
    child.kill("SIGKILL");
    await child.exited;
    await ended(keeper);
  }));

test("it stays while the program becomes another one", () =>
  onStage("plain", async (stage) => {
    const child = Bun.spawn([...stage.covering("auto"), "sh", "-c", "sleep 0.3; exec sleep 60"]);
    await until(async () => of(child.pid, "comm") === "sleep\n");
    const keeper = keeperOf(child.pid);
    await stays(keeper);
    child.kill();
    await ended(keeper);
  }));

test.each([
  ["a process that the program has left behind", "sleep 60 >/dev/null 2>&1 & echo $!"],
  ["a daemon", "setsid sh -c 'echo $$; exec >/dev/null 2>&1; exec sleep 60' & sleep 0.2"],
  [
    "a daemon of a daemon",
    "setsid sh -c 'setsid sh -c \"echo \\$\\$; exec >/dev/null 2>&1; exec sleep 60\" &' & sleep 0.3",
  ],
])("it stays for %s, and covers again for that", (_, script) =>
  onStage("plain", async (stage) => {
    const { stdout } = await start([...stage.covering("auto"), "sh", "-c", script]);
    const daemon = Number(stdout);
    const keeper = keeperOf(daemon);
    await stays(keeper);
    const seen = () => start(["nsenter", "--target", String(daemon), "--mount", "cat", stage.file]);
    await replace(stage);
    await until(async () => (await seen()).stdout === "task\n");
    process.kill(daemon, "SIGKILL");
    await ended(keeper);
  }),
);

test("it stays for a process of which another thread than the first lives on", () =>
  onStage("plain", async (stage) => {
    const script = `${compile("leaderless")} >/dev/null 2>&1 & echo $!; exec sleep 0.5`;
    const child = Bun.spawn([...stage.covering("auto"), "sh", "-c", script], { stdout: "pipe" });
    await until(async () => keepersOf(child.pid).length === 1);
    const keeper = keeperOf(child.pid);
    const left = Number(await child.stdout.text());
    await child.exited;
    await stays(keeper);
    process.kill(left, "SIGKILL");
    await ended(keeper);
  }));

test("it stays for who has entered the mount namespace since", () =>
  onStage("plain", async (stage) => {
    let guest: Program | undefined;
    let keeper = 0;
    await kept(stage, async ({ pid }) => {
      keeper = keeperOf(pid);
      guest = new Program(["nsenter", "--target", String(pid), "--mount"]);
      expect(await guest.run(`cat ${stage.file}`)).toBe("task");
    });
    await stays(keeper);
    await replace(stage);
    await reads(guest as Program, stage.file, "task");
    await guest?.end();
    await ended(keeper);
  }));

test("no signal but KILL ends it", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      const keeper = keeperOf(program.pid);
      for (const signal of [
        "HUP",
        "INT",
        "QUIT",
        "TERM",
        "USR1",
        "USR2",
        "PIPE",
        "ALRM",
        "IO",
        "CHLD",
        "TSTP",
        "SEGV",
      ])
        await $`kill -${signal} ${keeper}`;
      await stays(keeper);
      expect(status(keeper, "State")).toMatch(/^[SR]/);
      await replace(stage);
      await reads(program, stage.file, "task");
    }),
  ));

test("it is killed: the program keeps its file until the host replaces it, and nothing else befalls it", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      const keeper = keeperOf(program.pid);
      process.kill(keeper, "SIGKILL");
      await ended(keeper);
      expect(await program.run(`cat ${stage.file}`)).toBe("task");
      await $`mkdir ${stage.holder}/dir && mount -t tmpfs dir ${stage.holder}/dir && touch ${stage.holder}/dir/seen`;
      expect(await program.run(`ls ${stage.holder}/dir`)).toBe("seen");
      await $`umount ${stage.holder}/dir`;
      await replace(stage);
      expect(await program.run(`cat ${stage.file}`)).toBe("new");
      expect(mountinfo()).toBe(stage.before);
    }),
  ));

test(
  "10,000 launches, eight at a time, leave none",
  () =>
    onStage("plain", async (stage) => {
      const words = stage.covering("auto");
      const launch = async () => {
        const script = 'for i in $(seq 1250); do "$@" true || exit; done';
        expect(await start(["sh", "-c", script, "sh", ...words])).toMatchObject({ status: 0, stderr: "" });
      };
      await Promise.all(Array.from({ length: 8 }, launch));
      await until(async () => keepers().length === 0);
      expect(mountinfo()).toBe(stage.before);
    }),
  300_000,
);

// --- whose child it is ---

const ODD = "/tmp/nspin-odd";
beforeAll(() => $`cc -std=gnu11 -static -O1 test/state/odd.c -o ${ODD}`.then(() => {}));
const subreaper = [ODD, "prctl=CHILD_SUBREAPER:1", "--", "/usr/bin/env"];

test("a program that is a child subreaper has no child of it; it stays one", () =>
  onStage("plain", (stage) =>
    kept(
      stage,
      async ({ pid }) => {
        expect(status(keeperOf(pid), "PPid")).not.toBe(String(pid));
        expect(of(pid, `task/${pid}/children`)).toBe("");
      },
      [...subreaper, ...stage.covering("auto")],
    ),
  ));

test("where the caller is a child subreaper it is that one's child", () =>
  onStage("plain", async (stage) => {
    const caller = new Program([...subreaper]);
    const words = stage.covering("auto").map((word) => `'${word}'`);
    const pid = Number(await caller.run(`${words.join(" ")} sleep 60 </dev/null >/dev/null & echo $!`));
    await until(async () => keepersOf(pid).length === 1);
    const keeper = keeperOf(pid);
    expect(status(keeper, "PPid")).toBe(String(caller.pid));
    process.kill(pid);
    await ended(keeper);
    await caller.end();
  }));

test("a launcher that is process 1 of its PID namespace: it is its child, which no wait(2) tells of", () =>
  onStage("plain", async (stage) => {
    const own = ["unshare", "--pid", "--fork", "--mount-proc", "--propagation", "unchanged", "--kill-child"];
    await kept(
      stage,
      async (program) => {
        expect(await program.run("echo $$")).toBe("1");
        const keeper = Number(await program.run("pgrep --parent 1 nspin-keeper"));
        expect(keeper).toBeGreaterThan(1);
        await replace(stage);
        await reads(program, stage.file, "task");
        expect(await program.run(`trap 'echo told' CHLD; kill -KILL ${keeper}; sleep 0.1; trap - CHLD`)).toBe(
          "told",
        ); // by sleep(1)
        expect(await program.run("set -- /proc/[0-9]*; echo $#")).toBe("2"); // 1, and what is left of it
        expect(await program.run("wait; ps -o stat= -p $(pgrep nspin-keeper)")).toMatch(/^Z/);
      },
      [...own, ...stage.covering("auto")],
      0, // that of unshare(1)
    );
  }));

test("after unshare --pid without --fork there is none: a warning, and the rules of --no-keep", () =>
  onStage("plain", async (stage) => {
    const { stdout, stderr, status } = await start([
      "unshare",
      "--pid",
      ...stage.covering("auto"),
      "cat",
      stage.file,
    ]);
    expect({ stdout, status }).toEqual({ stdout: "task\n", status: 0 });
    expect(stderr).toMatch(/^nspin: warning: no keeper, as by --no-keep: .*unshare --pid.*\n$/);
    expect(stage.mounts()).toEqual([stage.holder, stage.file]); // a plain file: pinned
    expect(keepers()).toEqual([]);
  }));

test("after unshare --pid --fork, in the /proc of before: it stays for a daemon, and not for others", () =>
  onStage("plain", async (stage) => {
    const script = "setsid sleep 60 >/dev/null 2>&1 & sleep 0.2";
    const own = ["unshare", "--pid", "--fork", "--propagation", "unchanged"];
    const inside = Bun.spawn([
      ...own,
      "sh",
      "-c",
      '"$@"; sleep 60',
      "sh",
      ...stage.covering("auto"),
      "sh",
      "-c",
      script,
    ]);
    await until(
      async () => (await $`pgrep -P ${inside.pid}`.nothrow().text()) !== "" && keepers().length === 1,
    );
    const [keeper] = keepers() as [number];
    const daemon = () => $`pgrep -x sleep`.nothrow().text();
    await until(async () => (await daemon()).trim().split("\n").length === 2);
    await Bun.sleep(300); // the program itself has ended
    await stays(keeper);
    await replace(stage);
    const [pid] = membersOf(keeper).filter((member) => member !== keeper) as [number];
    await until(async () => readFileSync(`/proc/${pid}/root${stage.file}`, "utf8") === "task\n");
    process.kill(pid, "SIGKILL");
    await ended(keeper);
    inside.kill("SIGKILL");
    await inside.exited;
  }));

const numbers =
  process.arch === "x64"
    ? { dup: 32, fcntl: 72, sysinfo: 99, ppoll: 271, signalfd4: 289 }
    : { dup: 23, fcntl: 25, sysinfo: 179, ppoll: 73, signalfd4: 74 };
test.each(["dup", "fcntl", "ppoll", "signalfd4"] as const)(
  "where a filter refuses %s(2) there is none: a warning",
  (call) =>
    onStage("link", async (stage) => {
      const filtered = [compile("refuse"), String(numbers[call]), "1"];
      const { stdout, stderr, status } = await start([
        ...filtered,
        ...stage.covering("auto"),
        "cat",
        stage.file,
      ]);
      expect({ stdout, status }).toEqual({ stdout: "task\n", status: 0 });
      expect(stderr).toBe(
        "nspin: warning: no keeper, as by --no-keep: a seccomp filter refuses what it needs\n",
      );
    }),
);

test("a filter kills the process between, for a call of its own: nothing is started", () =>
  onStage("plain", async (stage) => {
    const killing = [compile("refuse"), String(numbers.sysinfo), "0"];
    const { stdout, stderr, status } = await start([
      ...killing,
      ...stage.covering("auto"),
      "cat",
      stage.file,
    ]);
    expect({ stdout, status }).toEqual({ stdout: "", status: 125 });
    expect(stderr).toStartWith("nspin: cannot start the keeper: Resource temporarily unavailable (EAGAIN)\n");
    expect(mountinfo()).toBe(stage.before);
  }));

test("without pidfd_open(2), Linux 5.3, there is none: the rules of --no-keep", () =>
  onStage("link", async (stage) => {
    const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=pidfd_open:error=ENOSYS"];
    const seen = await start([...strace, ...stage.covering("auto"), "cat", stage.file]);
    expect(seen).toMatchObject({ status: 0, stdout: "task\n", stderr: "" });
    expect(mountinfo()).toBe(stage.before);
  }));

// --- where no process can be made ---

const noProcess =
  "nspin: cannot start the keeper: Resource temporarily unavailable (EAGAIN)\n" +
  "nspin: hint: no process can be made (pids.max, RLIMIT_NPROC): --no-keep needs none\n";

/** A cgroup of its own for the command, in which there may be so many processes. */
async function limited(most: number, command: string[]) {
  const root = "/tmp/nspin-pids";
  const group = `${root}/nspin-keeper-test`;
  mkdirSync(root, { recursive: true });
  await sh(
    `mount -t cgroup -o pids pids ${root} || { mount -t cgroup2 pids ${root} && echo +pids >${root}/cgroup.subtree_control; }`,
  );
  try {
    mkdirSync(group);
    writeFileSync(`${group}/pids.max`, String(most));
    return await start(["sh", "-c", `echo $$ >${group}/cgroup.procs && exec "$@"`, "sh", ...command]);
  } finally {
    await until(() => $`rmdir ${group}`.quiet().then(() => true));
    await $`umount ${root}`;
  }
}

test.each([1, 2])("pids.max %d: nothing is started, and nothing is left", (most) =>
  onStage("plain", async (stage) => {
    const mark = `${stage.root}/mark`;
    const seen = await limited(most, [...stage.covering("auto"), "touch", mark]);
    expect(seen).toMatchObject({ status: 125, stdout: "", stderr: noProcess });
    expect(existsSync(mark)).toBeFalse();
    expect(mountinfo()).toBe(stage.before);
    expect(keepers()).toEqual([]);
    const without = await limited(most, [...stage.covering("auto --no-keep"), "cat", stage.file]);
    expect(without).toMatchObject({ status: 0, stdout: "task\n", stderr: "" });
  }),
);

test("pids.max 3 is enough to start", () =>
  onStage("plain", async (stage) => {
    expect(await limited(3, [...stage.covering("auto"), "cat", stage.file])).toMatchObject({
      status: 0,
      stdout: "task\n",
    });
  }));

test("RLIMIT_NPROC, which counts in a user namespace: nothing is started, and nothing is left", () =>
  onStage("plain", async (stage) => {
    await $`chmod 755 ${stage.root} ${dirname(stage.covering("auto")[0] as string)}`;
    const own = [
      "setpriv",
      "--reuid=4711",
      "--regid=4711",
      "--clear-groups",
      "unshare",
      "--user",
      "--map-root-user",
      "--mount",
    ];
    const command = [...own, "prlimit", "--nproc=1:1", ...stage.covering("auto"), "echo", "started"];
    expect(await start(command)).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringContaining(noProcess), // after a warning of its mounts
    });
    expect(keepers()).toEqual([]);
    expect(mountinfo()).toBe(stage.before);
  }));

// --- launches that fail ---

test.each([
  ["fails", "exit 5"],
  ["is killed", "kill -KILL $PID"],
])("a launch that %s at any call leaves no keeper and no mount, and the next one is right", (_, hook) =>
  onStage("plain", async (stage) => {
    const launcher = stage.covering("auto");
    let failed = 0;
    for await (const { status, stdout } of atEachCall(hook, [...launcher, "cat", stage.file], 2)) {
      if (status === 0) expect(stdout).toBe("task\n");
      else failed++;
      expect(mountinfo()).toBe(stage.before);
    }
    expect(failed).toBeGreaterThan(20);
    await until(async () => keepers().length === 0);
    expect(await start([...launcher, "cat", stage.file])).toMatchObject({
      status: 0,
      stdout: "task\n",
      stderr: "",
    });
  }),
);

test("a program that cannot be executed leaves no keeper", () =>
  onStage("plain", async (stage) => {
    for (let i = 0; i < 20; i++) {
      const { status } = await start([...stage.covering("auto"), "/etc/passwd"]);
      expect(status).toBe(126);
    }
    await until(async () => keepers().length === 0);
  }));

test("16 programs, and a host that replaces the file all the time, for two seconds: then each has its own", () =>
  onStage("plain", async (stage) => {
    const programs = Array.from({ length: 16 }, () => new Program(stage.covering("auto")));
    await Promise.all(programs.map((program) => program.run(":")));
    const host = Bun.spawn([compile("restless"), "0", "replace", stage.file]);
    await Bun.sleep(2000);
    host.kill();
    await host.exited;
    for (const program of programs) await reads(program, stage.file, "task");
    for (const program of programs) await program.end();
    expect(mountinfo()).toBe(stage.before);
  }));

// --- what the host does ---

describe.each(["plain", "link"] as const)("a %s file", (kind) => {
  const acts: Record<string, (stage: Stage) => Promise<unknown>> = {
    "renames a new one over it": replace,
    "renames a hundred new ones over it": ({ file }) =>
      $`sh -c ${`for i in $(seq 100); do echo $i > ${file}.new && mv -fT ${file}.new ${file} || exit; done`}`,
    "unlinks it and makes it anew": ({ file }) => $`rm ${file} && echo new > ${file}`,
    "makes a link of it": ({ root, file }) => sh(`echo new > ${root}/new && ln -sfT ${root}/new ${file}`),
    "makes a link of it that leads nowhere": ({ file }) => sh(`ln -sfT /nonexistent ${file}`),
    "makes a device of it": ({ file }) => sh(`mknod ${file}.new c 1 3 && mv -fT ${file}.new ${file}`),
    "exchanges it with another": ({ file }) =>
      sh(`echo new > ${file}.new && ${compile("restless")} 1 exchange ${file}.new ${file}`),
    "renames its directory, and makes that anew": ({ holder, file }) =>
      sh(`mv ${holder}/etc ${holder}/old && mkdir ${holder}/etc && echo new > ${file}`),
    "removes its directory with all in it, and makes that anew": ({ holder, file }) =>
      $`rm -r ${holder}/etc && mkdir ${holder}/etc && echo new > ${file}`,
    "mounts another file system on its directory": ({ holder, file }) =>
      $`mount -t tmpfs new ${holder}/etc && echo new > ${file}`,
  };
  test.each(Object.keys(acts))("the host %s: the program keeps its own, the host sees the new one", (name) =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        for (const _ of ["once", "again"]) {
          if (name.startsWith("renames its") && existsSync(`${stage.holder}/old`))
            await $`rm -r ${stage.holder}/old`;
          await acts[name]?.(stage);
          await reads(program, stage.file, "task");
        }
        const mine = await program.run(`stat -Lc %i ${stage.file}`);
        expect(mine).toBe(String(statSync(stage.source).ino));
        expect(mountTable().filter((line) => line.includes(`${stage.file} `))).toEqual([]);
        if (name.startsWith("mounts")) await $`umount ${stage.holder}/etc ${stage.holder}/etc`.quiet();
        await $`rm -f ${stage.file} && echo last > ${stage.file}`;
        await reads(program, stage.file, "task");
      }),
    ),
  );

  test("is missing for a while: the program has none, and its own again when the host has one", () =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        await $`rm ${stage.file}`;
        await reads(program, stage.file, `cat: ${stage.file}: No such file or directory`);
        await Bun.sleep(200);
        await $`echo new > ${stage.file}`;
        await reads(program, stage.file, "task");
        await sh(`mv ${stage.holder}/etc ${stage.holder}/old`);
        await reads(program, stage.file, `cat: ${stage.file}: No such file or directory`);
        await Bun.sleep(200);
        await sh(`mv ${stage.holder}/old ${stage.holder}/etc`);
        await reads(program, stage.file, "task");
      }),
    ));

  test("a directory takes its place, for a while", () =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        await $`rm ${stage.file} && mkdir ${stage.file}`;
        await Bun.sleep(200);
        expect(await program.run(`ls -d ${stage.file}`)).toBe(stage.file);
        await $`rmdir ${stage.file} && echo new > ${stage.file}`;
        await reads(program, stage.file, "task");
      }),
    ));
});

test("a directory that a daemon remakes stays covered", () =>
  onStage("plain", async (stage) => {
    const [source, target] = [`${stage.root}/task`, `${stage.holder}/data`];
    await $`mkdir ${source} ${target} && touch ${source}/own ${target}/host`;
    const program = new Program(stage.command("--bind", `${source}:${target}`));
    expect(await program.run(`ls ${target}`)).toBe("own");
    for (const _ of ["once", "again"]) {
      await $`rm -r ${target} && mkdir ${target} && touch ${target}/new`;
      await until(async () => (await program.run(`ls ${target}`)) === "own");
    }
    expect(readdirSync(target)).toEqual(["new"]);
    await program.end();
    expect(mountinfo()).toBe(stage.before);
  }));

test("several files of one directory, and one of a directory in that: each is covered again", () =>
  onStage("plain", async (stage) => {
    const etc = `${stage.holder}/etc`;
    const names = ["hosts", "sub/one", "sub/deep/two", "sub/three"];
    await $`mkdir -p ${etc}/sub/deep`;
    for (const name of names) {
      writeFileSync(`${etc}/${name}`, "host\n");
      await $`echo ${name} > ${stage.root}/${name.replaceAll("/", "-")}`;
    }
    const binds = names.flatMap((name) => [
      "--bind",
      `${stage.root}/${name.replaceAll("/", "-")}:${etc}/${name}`,
    ]);
    await kept(
      stage,
      async (program) => {
        for (const _ of ["once", "again"]) {
          for (const name of names) await sh(`echo new > ${etc}/new && mv ${etc}/new ${etc}/${name}`);
          await replace(stage);
          for (const name of names) await reads(program, `${etc}/${name}`, name);
          await reads(program, stage.file, "task");
        }
        await sh(`mv ${etc}/sub ${etc}/old && mkdir -p ${etc}/sub/deep`);
        for (const name of names.slice(1)) writeFileSync(`${etc}/${name}`, "new\n");
        for (const name of names) await reads(program, `${etc}/${name}`, name);
        expect(mountinfo()).toBe(stage.before);
        expect(keepersOf(program.pid)).toHaveLength(1);
      },
      stage.covering("auto", ...binds),
    );
  }));

test("two programs with other files for one target: each keeps its own", () =>
  onStage("plain", async (stage) => {
    const other = `${stage.root}/other.conf`;
    await $`echo other > ${other}`;
    await kept(stage, async (one) => {
      const two = new Program(stage.command("--bind", `${other}:${stage.file}`));
      for (const _ of "123") {
        await replace(stage);
        await reads(one, stage.file, "task");
        await reads(two, stage.file, "other");
      }
      await two.end();
      await replace(stage);
      await reads(one, stage.file, "task");
    });
  }));

test("what a sibling, or the program, unmounts is covered again", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      for (const script of [
        `umount ${stage.file}`,
        `umount ${stage.file}; umount ${stage.file}`,
        `umount -l ${stage.holder}/etc`,
      ]) {
        await program.run(`sh -c '${script}' 2>&-`);
        await reads(program, stage.file, "task");
      }
      expect(readFileSync(stage.file, "utf8")).toBe("host\n");
      await replace(stage);
      await reads(program, stage.file, "task");
      expect(mountinfo()).toBe(stage.before);
    }),
  ));

test("another program's unmounting takes nothing away, before and after it was covered again", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      for (const _ of ["before", "after"]) {
        await start([...stage.covering("auto"), "sh", "-c", `umount ${stage.file}; umount ${stage.file}`]);
        expect(await program.run(`cat ${stage.file}`)).toBe("task");
        await replace(stage);
        await reads(program, stage.file, "task");
      }
    }),
  ));

test("--read-only holds for what is covered again, and for a new source", () =>
  onStage("plain", (stage) =>
    kept(
      stage,
      async (program) => {
        const write = `echo x 2>&1 > ${stage.file}`;
        expect(await program.run(write)).toContain("Read-only file system");
        await replace(stage);
        await reads(program, stage.file, "task");
        expect(await program.run(write)).toContain("Read-only file system");
        await sh(`echo second > ${stage.source}.new && mv ${stage.source}.new ${stage.source}`);
        await reads(program, stage.file, "second");
        expect(await program.run(write)).toContain("Read-only file system");
        await replace(stage);
        await reads(program, stage.file, "second");
        expect(await program.run(write)).toContain("Read-only file system");
      },
      stage.covering("auto", "--read-only"),
    ),
  ));

// --- what becomes of the source ---

describe.each(["plain", "link"] as const)("the source, where the target is a %s file", (kind) => {
  const newSource = ({ source }: Stage, text: string) =>
    sh(`echo ${text} > ${source}.new && mv ${source}.new ${source}`);

  test("is replaced by rename: the program sees the new one, each time", () =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        for (const text of ["first", "second", "third"]) {
          await newSource(stage, text);
          await reads(program, stage.file, text);
        }
        await replace(stage); // and that is what it is covered by, from now on
        await reads(program, stage.file, "third");
        await newSource(stage, "fourth");
        await reads(program, stage.file, "fourth");
        expect(mountinfo()).toBe(stage.before);
        const mounts = (await program.run("cat /proc/self/mountinfo")).split("\n");
        expect(mounts.filter((line) => line.split(" ")[4] === stage.file).length).toBeLessThan(4); // nothing piles up
      }),
    ));

  test("is missing, for a while: the old one stays until there is a new one", () =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        await until(async () => isAtRest(keeperOf(program.pid))); // it has a copy of the cover ready
        await $`rm ${stage.source}`;
        await Bun.sleep(100);
        expect(await program.run(`cat ${stage.file}`)).toBe("task");
        await replace(stage);
        await reads(program, stage.file, "task");
        await $`echo back > ${stage.source}`;
        await reads(program, stage.file, "back");
      }),
    ));

  test("becomes a directory: the old one stays", () =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        await $`rm ${stage.source} && mkdir ${stage.source}`;
        await Bun.sleep(200);
        expect(await program.run(`cat ${stage.file}`)).toBe("task");
        await replace(stage);
        await reads(program, stage.file, "task");
        await $`rmdir ${stage.source} && echo back > ${stage.source}`;
        await reads(program, stage.file, "back");
      }),
    ));

  test("and the target are replaced by turns, fifty times: the program ends up with the last source", () =>
    onStage(kind, (stage) =>
      kept(stage, async (program) => {
        const { source, file } = stage;
        const script = `for i in $(seq 50); do echo $i > ${source}.new && mv ${source}.new ${source} || exit
          echo host $i > ${file}.new && mv -fT ${file}.new ${file} || exit; done`;
        await $`sh -c ${script}`;
        await reads(program, file, "50");
        expect(readFileSync(file, "utf8")).toBe("host 50\n");
        expect(mountinfo()).toBe(stage.before);
      }),
    ));
});

test("the source is a symbolic link that is made to lead elsewhere: the program sees what it leads to", () =>
  onStage("plain", async (stage) => {
    await $`echo one > ${stage.root}/one && echo two > ${stage.root}/two && ln -s one ${stage.root}/current`;
    const program = new Program(stage.command("--bind", `${stage.root}/current:${stage.file}`));
    expect(await program.run(`cat ${stage.file}`)).toBe("one");
    await sh(`ln -sfT two ${stage.root}/current`);
    await reads(program, stage.file, "two");
    await program.end();
  }));

test("the source is replaced once more while the new one is being shown: the program ends up with the last", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      const keeper = keeperOf(program.pid);
      const inject = "inject=umount2:delay_enter=300ms"; // of the old cover, which lies on the new one
      const strace = Bun.spawn(["strace", "-qq", "-o", "/dev/null", "-p", `${keeper}`, "-e", inject]);
      await until(async () => status(keeper, "TracerPid") !== "0");
      for (const text of ["second", "third"]) {
        await sh(`echo ${text} > ${stage.source}.new && mv ${stage.source}.new ${stage.source}`);
        await Bun.sleep(100);
      }
      await reads(program, stage.file, "third");
      strace.kill();
      await strace.exited;
      expect(mountinfo()).toBe(stage.before);
    }),
  ));

test("a relative source, by run, is followed from the working directory of the launch", () =>
  onStage("plain", async (stage) => {
    const command = [NSPIN, "run", "--bind", `task.conf:${stage.file}`, "--"];
    const program = new Program(["env", `--chdir=${stage.root}`, ...command]);
    await reads(program, stage.file, "task");
    await sh(`echo new > ${stage.source}.new && mv ${stage.source}.new ${stage.source}`);
    await reads(program, stage.file, "new");
    await program.end();
  }));

test("what the program mounts over its own file is left alone, whatever else changes", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      await program.run(`echo inner > ${stage.root}/inner; mount --bind ${stage.root}/inner ${stage.file}`);
      await sh(
        `echo > ${stage.holder}/etc/other && mv ${stage.holder}/etc/other ${stage.holder}/etc/another`,
      );
      await sh(`mkdir ${stage.holder}/etc/in && mount -t tmpfs in ${stage.holder}/etc/in`);
      await Bun.sleep(200);
      expect(await program.run(`cat ${stage.file}`)).toBe("inner");
      expect(await program.run(`umount ${stage.file}; cat ${stage.file}`)).toBe("task");
      await $`umount ${stage.holder}/etc/in`;
      expect(mountinfo()).toBe(stage.before);
    }),
  ));

// --- everything else still propagates, both ways ---

/** In these directories, before and after what is done, whoever mounts: the other one sees it once, and its end. */
test.each([
  ["beside the target's directory", "beside"],
  ["in it", "etc/in"],
  ["deep in it", "etc/in/deep/down"],
])("mounts %s reach the other side, before and after the file is covered again", (_, where) =>
  onStage("plain", async (stage) => {
    const point = `${stage.holder}/${where}`;
    await $`mkdir -p ${point}`;
    await kept(stage, async (program) => {
      const both = async () => {
        const lines = () => mountTable().filter((line) => line.split(" ")[4] === point);
        await $`mount -t tmpfs out ${point} && touch ${point}/out`;
        expect(await program.run(`ls ${point}`)).toBe("out");
        expect(lines()).toHaveLength(1);
        await $`umount ${point}`;
        expect(await program.run(`ls ${point}`)).not.toContain("out");
        await program.run(`mount -t tmpfs in ${point} && touch ${point}/inside`);
        expect(readdirSync(point)).toEqual(["inside"]);
        expect(lines()).toHaveLength(1);
        await $`mkdir ${point}/sub && mount -t tmpfs sub ${point}/sub && touch ${point}/sub/seen`;
        expect(await program.run(`ls ${point}/sub`)).toBe("seen");
        await program.run(`umount ${point}/sub && umount ${point}`);
        expect(lines()).toEqual([]);
        expect(mountinfo()).toBe(stage.before);
      };
      /** What the program mounts while the keeper covers again stays inside. */
      const covered = async (text: string) => {
        await reads(program, stage.file, text);
        await until(async () => isAtRest(keeperOf(program.pid)));
      };
      await both();
      for (const _ of "123") {
        await replace(stage);
        await covered("task");
        await both();
      }
      await sh(`echo second > ${stage.source}.new && mv ${stage.source}.new ${stage.source}`);
      await covered("second");
      await both();
    });
  }),
);

test("what the host mounts while it is covered again and again is never missed", () =>
  onStage("plain", (stage) =>
    kept(stage, async (program) => {
      const { file, holder } = stage;
      await $`mkdir ${Array.from({ length: 40 }, (_, i) => `${holder}/etc/m${i}`)}`;
      const storm = Bun.spawn([
        "sh",
        "-c",
        `while :; do echo new > ${file}.new; mv -fT ${file}.new ${file}; done`,
      ]);
      for (let i = 0; i < 40; i++)
        await $`mount -t tmpfs m${i} ${holder}/etc/m${i} && touch ${holder}/etc/m${i}/seen`;
      storm.kill();
      await storm.exited;
      await reads(program, file, "task");
      expect(await program.run(`ls ${holder}/etc/m*/seen | wc -l`)).toBe("40");
      expect(stage.mounts()).toHaveLength(41);
      await $`umount ${Array.from({ length: 40 }, (_, i) => `${holder}/etc/m${i}`)}`;
      expect(await program.run(`ls ${holder}/etc/m*/seen 2>&- | wc -l`)).toBe("0");
      expect(mountinfo()).toBe(stage.before);
    }),
  ));

test("what the host mounts while the directory's mount is no peer is seen all the same, and what it had mounted stays", () =>
  onStage("plain", async (stage) => {
    const [there, late] = [`${stage.holder}/etc/there`, `${stage.holder}/etc/late`];
    await sh(
      `mkdir ${there} ${late} && mount -t tmpfs there ${there} && mkdir ${there}/in && mount -t tmpfs in ${there}/in`,
    );
    const before = stage.mounts();
    await kept(stage, async (program) => {
      const keeper = keeperOf(program.pid);
      const inject = "inject=mount_setattr:delay_exit=500ms";
      const strace = Bun.spawn(["strace", "-qq", "-o", "/dev/null", "-p", `${keeper}`, "-e", inject]);
      await until(async () => status(keeper, "TracerPid") !== "0");
      await replace(stage);
      const own = `grep ' /etc ${stage.holder}/etc ' /proc/self/mountinfo`;
      await until(async () => /\/etc \S+ - /.test(await program.run(own)), 10_000); // neither shared nor a slave
      await $`mount -t tmpfs late ${late} && touch ${late}/seen`.quiet();
      strace.kill();
      await strace.exited;
      await until(async () => (await program.run(`ls ${late}`)) === "seen");
      await reads(program, stage.file, "task");
      expect(stage.mounts()).toEqual([...before, late].sort());
      await $`umount ${late} && umount ${there}/in`;
      expect(await program.run(`ls ${late}; mountpoint -q ${there}/in || mountpoint ${there}`)).toBe(
        `${there} is a mountpoint`,
      );
    });
  }));

test("what the host had mounted in the directory stays, where it renames that and makes a new one", () =>
  onStage("plain", async (stage) => {
    const { holder, file } = stage;
    await $`mkdir ${holder}/etc/there && mount -t tmpfs there ${holder}/etc/there`;
    await kept(stage, async (program) => {
      await sh(`mv ${holder}/etc ${holder}/old && mkdir ${holder}/etc && echo new > ${file}`);
      await reads(program, file, "task");
      expect(stage.mounts()).toEqual([holder, `${holder}/old/there`]);
    });
  }));

test("the host can unmount what holds the target's directory, also where it is that mount's root", () =>
  onStage("plain", async (stage) => {
    writeFileSync(`${stage.holder}/file`, "host\n");
    const program = new Program(stage.command("--bind", `${stage.source}:${stage.holder}/file`));
    await reads(program, `${stage.holder}/file`, "task");
    const { exitCode, stderr } = await $`umount ${stage.holder}`.nothrow().quiet();
    await program.end();
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
  }));

/** The directory as it is, or another file system, mounted on it by the host. */
const over: Record<string, (directory: string) => Promise<unknown>> = {
  itself: (directory) => $`mount --bind ${directory} ${directory}`.quiet(),
  "another file system": (directory) =>
    $`mount -t tmpfs other ${directory} && echo other > ${directory}/resolv.conf`.quiet(),
};

test.each(Object.keys(over))(
  "the host mounts %s on its directory, and again at once when it has unmounted it: it keeps its file, and no mount",
  (what) =>
    onStage("plain", async (stage) => {
      const directory = dirname(stage.file);
      await kept(stage, async (program) => {
        const keeper = keeperOf(program.pid);
        const before = stage.mounts(await program.run("cat /proc/self/mountinfo"));
        await over[what]?.(directory);
        for (let i = 0; i < 20; i++) {
          await reads(program, stage.file, "task");
          await $`umount ${directory}`;
          await over[what]?.(directory);
        }
        await reads(program, stage.file, "task");
        await until(async () => isAtRest(keeper));
        await $`umount ${directory}`;
        await until(async () => {
          const mounts = stage.mounts(await program.run("cat /proc/self/mountinfo"));
          return isAtRest(keeper) && mounts.join() === before.join();
        });
        await reads(program, stage.file, "task");
        expect(await program.run(`touch ${directory}/of-the-program`)).toBe("");
        expect(existsSync(`${directory}/of-the-program`)).toBeTrue(); // it is in the host's own
        expect(mountinfo()).toBe(stage.before);
      });
    }),
);

test("the source is replaced while the host has its directory mounted on itself: it is shown afterwards, too", () =>
  onStage("plain", async (stage) => {
    const directory = dirname(stage.file);
    const newSource = (text: string) =>
      sh(`echo ${text} > ${stage.source}.new && mv -fT ${stage.source}.new ${stage.source}`);
    await kept(stage, async (program) => {
      await $`mount --bind ${directory} ${directory}`;
      await until(async () => isAtRest(keeperOf(program.pid)));
      await newSource("second");
      await reads(program, stage.file, "second");
      await $`umount ${directory}`;
      await reads(program, stage.file, "second");
      await newSource("third");
      await reads(program, stage.file, "third");
    });
    await $`echo task > ${stage.source}`;
  }));

test("the host replaces its file while a new source is shown: a link, so the old one is still there", () =>
  onStage("plain", async (stage) => {
    const { source, file } = stage;
    await sh(`for i in 1 2; do echo task $i > ${source}.$i; done; ln -sfT ${source}.1 ${source}`);
    const program = new Program(stage.covering("auto"));
    expect(await program.run(`cat ${file}`)).toBe("task 1");
    await until(async () => isAtRest(keepersOf(program.pid)[0] as number));
    const keeper = keeperOf(program.pid);
    // What it looks at after it has shown the new one: open_tree(2) for the next time comes too late.
    const delay = ["-e", "trace=umount2", "-e", "inject=umount2:delay_exit=500ms:when=1"];
    const strace = Bun.spawn(["strace", "-qq", "-o", "/dev/null", ...delay, "-p", String(keeper)]);
    await until(async () => status(keeper, "TracerPid") !== "0");
    await sh(`ln -sT ${source}.2 ${source}.new && mv -fT ${source}.new ${source}`);
    await Bun.sleep(250);
    await replace(stage);
    await reads(program, file, "task 2");
    await until(async () => isAtRest(keeper));
    strace.kill();
    await strace.exited;
    expect(await program.run(`grep -c " ${file} " /proc/self/mountinfo`)).toBe("2");
    await program.end();
    await sh(`rm ${source} && echo task > ${source}`);
  }));

test.each(["shared", "private"])("the target is a %s mount itself, as in a container", (propagation) =>
  onStage("plain", async (stage) => {
    await $`echo other > ${stage.holder}/other && mount --bind ${stage.holder}/other ${stage.file}`;
    await $`mount --make-${propagation} ${stage.file}`;
    const before = mountinfo();
    await kept(stage, async (program) => {
      expect(mountinfo()).toBe(before);
      await sh(
        `echo more > ${stage.holder}/etc/more && mv ${stage.holder}/etc/more ${stage.holder}/etc/last`,
      );
      expect(await program.run(`cat ${stage.file}`)).toBe("task");
      await $`umount -l ${stage.file}`;
      await reads(program, stage.file, "task");
      expect(mountinfo()).toBe(stage.before);
      await replace(stage);
      await reads(program, stage.file, "task");
    });
    expect(readFileSync(stage.file, "utf8")).toBe("new\n");
  }),
);

test("the target's directory is a mount itself, and is mounted anew", () =>
  onStage("plain", async (stage) => {
    const etc = `${stage.holder}/etc`;
    await $`mount -t tmpfs etc ${etc} && echo host > ${stage.file}`;
    await kept(stage, async (program) => {
      await replace(stage);
      await reads(program, stage.file, "task");
      await $`umount -l ${etc} && mount -t tmpfs again ${etc} && echo again > ${stage.file}`;
      await reads(program, stage.file, "task");
      expect(readFileSync(stage.file, "utf8")).toBe("again\n");
    });
    await $`umount ${etc}`;
    expect(mountinfo()).toBe(stage.before);
  }));

// --- what it says ---

test("a line for syslog(3) each time, but not more than one in ten seconds of one file", async () => {
  const out = "/tmp/nspin-keeper-syslog";
  await $`rm -f ${out} /dev/log`;
  const listen =
    'use IO::Socket::UNIX; $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/dev/log") or die;' +
    "$| = 1; while ($s->recv($m, 9999), 1) { print $m, qq(\\n) }";
  const daemon = Bun.spawn(["perl", "-MSocket", "-e", listen], { stdout: Bun.file(out) });
  const said = () => readFileSync(out, "utf8").trimEnd().split("\n");
  try {
    await until(async () => existsSync("/dev/log"));
    await onStage("plain", async (stage) => {
      await kept(stage, async (program) => {
        const keeper = keeperOf(program.pid);
        await replace(stage);
        await reads(program, stage.file, "task");
        await until(async () => said()[0] !== "");
        expect(said()).toEqual([
          expect.stringMatching(
            new RegExp(
              `^<29>nspin-keeper\\[${keeper}\\]: sh \\(process ${program.pid}\\): ${stage.file} was replaced on the host, ` +
                `and is covered by ${stage.source} again after \\d+ us$`,
            ),
          ),
        ]);
        for (const _ of "123") {
          await replace(stage);
          await reads(program, stage.file, "task");
        }
        await Bun.sleep(100);
        expect(said()).toHaveLength(1);
      });
      await kept(stage, async (program) => {
        await sh(`echo new > ${stage.source}.new && mv ${stage.source}.new ${stage.source}`);
        await reads(program, stage.file, "new");
        await until(async () => said().length === 2);
        expect(said()[1]).toMatch(
          new RegExp(`: ${stage.source} was replaced, and the program sees the new one after \\d+ us$`),
        );
        await $`echo task > ${stage.source}`;
      });
      await kept(stage, async (program) => {
        await $`rm ${stage.file}`;
        await until(async () => said().length === 3);
        expect(said()[2]).toMatch(
          new RegExp(`^<28>.*: ${stage.file} is gone on the host, and is covered again when it is back$`),
        );
        await $`echo back > ${stage.file}`;
        await reads(program, stage.file, "task");
        await until(async () => said().length === 4); // good news are not kept back
        expect(said()[3]).toMatch(/^<29>.* again after \d+ us$/);
      });
      const link = await Stage.make("plain", "launcher");
      await kept(link, async () => {
        await sh(`ln -sfT ${"elsewhere"} ${link.file}`);
        await until(async () => said().length === 5);
        expect(said()[4]).toContain(
          `${link.file} was replaced on the host by a symbolic link to elsewhere, and is covered by `,
        );
      });
      await link.end();
    });
  } finally {
    daemon.kill();
    await daemon.exited;
    await $`rm -f /dev/log`;
  }
}, 120_000);

test("where nobody listens, and where the listener does not keep up, it goes on", async () => {
  await $`rm -f /dev/log`;
  const deaf =
    'use IO::Socket::UNIX; $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/dev/log") or die; sleep 60';
  const daemon = Bun.spawn(["perl", "-MSocket", "-e", deaf]);
  try {
    await until(async () => existsSync("/dev/log"));
    await onStage("plain", async (stage) => {
      for (let i = 0; i < 20; i++)
        await kept(stage, async (program) => {
          await replace(stage);
          await reads(program, stage.file, "task");
        });
    });
  } finally {
    daemon.kill();
    await daemon.exited;
    await $`rm -f /dev/log`;
  }
}, 120_000);

// --- what it costs, and a host that never rests ---

test("it uses no CPU while nothing happens: it does not wake, and waits without a timeout", () =>
  onStage("plain", (stage) =>
    kept(stage, async ({ pid }) => {
      const keeper = keeperOf(pid);
      await until(async () => isAtRest(keeper)); // it has begun to watch
      await Bun.sleep(300);
      const used = () => [
        of(keeper, "stat").split(" ").slice(13, 15).join(),
        status(keeper, "voluntary_ctxt_switches"),
      ];
      const before = used();
      await Bun.sleep(1500);
      expect(used()).toEqual(before);
      expect(isAtRest(keeper)).toBeTrue(); // so it is after an hour, too
    }),
  ));

test("the program cannot rename a file over its own: the place to write is the source", () =>
  onStage("link", (stage) =>
    kept(stage, async (program) => {
      const own = `${stage.holder}/etc/own`;
      expect(await program.run(`echo own > ${own}; mv -fT ${own} ${stage.file}`)).toMatch(/busy/i);
      expect(await program.run(`cat ${stage.file}`)).toBe("task");
      expect(readFileSync(stage.file, "utf8")).toBe("host\n");
      await program.run(`echo own > ${stage.source}.new; mv -fT ${stage.source}.new ${stage.source}`);
      await reads(program, stage.file, "own");
      expect(readFileSync(stage.file, "utf8")).toBe("host\n");
      await $`echo task > ${stage.source}`;
    }),
  ));

test("in a directory of its own over the host's the program may rename a file over its own; it stays there", () =>
  onStage("plain", async (stage) => {
    const own = `${stage.root}/own`;
    await $`mkdir ${own} && cp ${stage.source} ${own}/resolv.conf`;
    const program = new Program(stage.command("--method", "auto", "--bind", `${own}:${stage.holder}/etc`));
    expect(await program.run(`echo new > ${stage.file}.new; mv -fT ${stage.file}.new ${stage.file}`)).toBe(
      "",
    );
    expect(await program.run(`cat ${stage.file}`)).toBe("new");
    expect(await program.end()).toBe(0);
    expect(readFileSync(`${own}/resolv.conf`, "utf8")).toBe("new\n");
    expect(readFileSync(stage.file, "utf8")).toBe("host\n");
  }));

test(
  "the source is replaced each 5 ms: 2000 launches and 50 programs see old or new ones, and no other",
  () =>
    onStage("plain", async (stage) => {
      const words = stage.covering("auto");
      const { source, file } = stage;
      const script = `while :; do echo task $i > ${source}.new; mv -fT ${source}.new ${source}; i=$((i + 1)); sleep 0.005; done`;
      const host = Bun.spawn(["sh", "-c", script], { env: { ...process.env, i: "0" } });
      const reader = `end=$(($(date +%s) + 8)); while [ $(date +%s) -lt $end ]; do read -r text < ${file}; case $text in task*) ;; *) echo "$text";; esac; done`;
      const programs = Array.from({ length: 50 }, () => Bun.spawn([...words, "sh", "-c", reader]));
      const launches = await start([
        "sh",
        "-c",
        `for i in $(seq 2000); do "$@" cat ${file} || exit; done | grep -v '^task' | sort | uniq -c`,
        "sh",
        ...words,
      ]);
      const seen = await Promise.all(programs.map((program) => program.stdout.text()));
      host.kill();
      await host.exited;
      await $`echo task > ${source}`;
      expect(launches).toMatchObject({ stdout: "", stderr: "" });
      expect(seen.filter((text) => text !== "")).toEqual([]);
    }),
  120_000,
);
