// The program cannot tell that nspin was there: started from many odd states,
// directly and by nspin, it observes the same (test/state/state.c), but for its
// mount and its network namespace.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { $ } from "bun";
import { files } from "./hello-and-world.ts";
import { enterBy, entries, start } from "./start.ts";

const ID = "state";
const { directory, hello, world } = files();
const [STATE, ODD, OUT] = [`${directory}/state`, `${directory}/odd`, `${directory}/out`];

beforeAll(async () => {
  const cc = ["cc", "-std=gnu11", "-static", "-O1", "-Wall", "-Wextra", "-Werror"];
  await $`${cc} test/state/state.c -o ${STATE} && ${cc} test/state/odd.c -o ${ODD}`;
  await $`ip netns add ${ID} && mkdir -p /etc/netns/${ID}`;
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, "nameserver 192.0.2.1\n");
  chmodSync(directory, 0o755);
  await $`mkdir ${directory}/root && mount --rbind --make-rslave / ${directory}/root`;
  mkdirSync(`${directory}/closed`, { mode: 0o700 });
  chownSync(`${directory}/closed`, 65534, 65534);
  // Where the kernel shares out real-time scheduling by cgroups (v1), only the first of them has some.
  await $`mkdir ${directory}/cpu && mount -t cgroup -o cpu cpu ${directory}/cpu && echo ${process.pid} > ${directory}/cpu/cgroup.procs`
    .quiet()
    .nothrow();
});
afterAll(async () => {
  await $`umount --recursive ${directory}/root`;
  // Back to the container's own: runc finds none above it.
  await $`umount ${directory}/cpu && echo ${process.pid} > /sys/fs/cgroup/cpu/cgroup.procs`.quiet().nothrow();
  rmSync(`/etc/netns/${ID}`, { recursive: true });
});

/** One for all: of one made anew for each start, the inode would be another. */
mkdirSync(`${directory}/gone`);
const gone = `/proc/${process.pid}/fd/${openSync(`${directory}/gone`, "r")}`;
rmdirSync(`${directory}/gone`);

const match = (pattern: RegExp): string => expect.stringMatching(pattern);

interface Case {
  readonly name: string;
  /** The set-ups, as test/state/odd.c takes them. */
  readonly odd: readonly string[];
  /** What the program sees, started directly: that the state is as odd as it is meant to be. */
  readonly seen: Readonly<Record<string, string>>;
  /** Its arguments. */
  readonly words?: readonly string[];
}

/** Set-ups by which 0, 1 and 2 are of a kind, with a flag that is "" or ":nonblock". */
const stdio: Record<string, (flag: string) => string[]> = {
  pipe: (flag) => [`fd=0:reader${flag}`, `fd=1:writer${flag}`, `fd=2:writer${flag}`],
  tty: (flag) => ["session", `fd=0:tty${flag}`, "dup=0:1", "dup=0:2"],
  ...Object.fromEntries(
    ["socket", "file", "null"].map((kind) => [
      kind,
      (flag: string) => [0, 1, 2].map((fd) => `fd=${fd}:${kind}${flag}`),
    ]),
  ),
};

const cases: Case[] = [
  { name: "nothing odd", odd: [], seen: { SigIgn: "0000000000000000", "timer REAL": "0, every 0" } },

  // Signals: those that a runtime ignores or handles itself are not its program's.
  { name: "SIGPIPE ignored", odd: ["ignore=PIPE"], seen: { SigIgn: "0000000000001000" } },
  { name: "SIGXFSZ ignored", odd: ["ignore=XFSZ"], seen: { SigIgn: "0000000001000000" } },
  {
    name: "what a crash raises ignored",
    odd: ["ignore=SEGV,ILL,BUS,FPE,ABRT,TRAP,SYS,PWR"],
    seen: { SigIgn: "00000000600004f8" },
  },
  {
    name: "what a terminal or a parent sends ignored",
    odd: ["ignore=HUP,INT,QUIT,TERM,CHLD,TSTP,TTIN,TTOU,USR1,USR2,WINCH"],
    seen: { SigIgn: "0000000008394a07" },
  },
  { name: "all signals ignored", odd: ["ignore=all"], seen: { SigIgn: "fffffffffffbfeff" } },
  { name: "SIGPWR blocked", odd: ["block=PWR"], seen: { SigBlk: "0000000020000000" } },
  { name: "all signals blocked", odd: ["block=all"], seen: { SigBlk: "fffffffffffbfeff" } },
  {
    name: "signals blocked and pending",
    odd: ["pending=USR1,TERM"],
    seen: { SigBlk: "0000000000004200", ShdPnd: "0000000000004200" },
  },
  {
    name: "SIGPWR blocked and pending",
    odd: ["pending=PWR"],
    seen: { SigBlk: "0000000020000000", ShdPnd: "0000000020000000" },
  },

  // Limits
  { name: "NOFILE, soft under hard", odd: ["limit=NOFILE:256:4096"], seen: { "limit NOFILE": "256:4096" } },
  {
    name: "NOFILE, soft as usual",
    odd: ["limit=NOFILE:1024:20000"],
    seen: { "limit NOFILE": "1024:20000" },
  },
  {
    name: "NOFILE, fewer than are open",
    odd: ["fd=300:file", "limit=NOFILE:64:64"],
    seen: { "limit NOFILE": "64:64", "descriptor 300": match(/offset 5/) },
  },
  { name: "NOFILE, few", odd: ["limit=NOFILE:16:16"], seen: { "limit NOFILE": "16:16" } },
  { name: "CORE", odd: ["limit=CORE:4096:8192"], seen: { "limit CORE": "4096:8192" } },
  { name: "FSIZE", odd: ["limit=FSIZE:65536:-1"], seen: { "limit FSIZE": "65536:-1" } },
  { name: "NPROC", odd: ["limit=NPROC:1:1"], seen: { "limit NPROC": "1:1" } },
  { name: "STACK", odd: ["limit=STACK:1048576:-1"], seen: { "limit STACK": "1048576:-1" } },
  { name: "MEMLOCK", odd: ["limit=MEMLOCK:0:0"], seen: { "limit MEMLOCK": "0:0" } },
  {
    name: "every other limit",
    odd: ["CPU:1000:2000", "DATA:0x100000000:-1", "AS:0x200000000:-1", "LOCKS:1:2", "MSGQUEUE:0:0", "RSS:1:2"]
      .concat("RTTIME:1000000:2000000", "SIGPENDING:5:6")
      .map((limit) => `limit=${limit}`),
    seen: { "limit CPU": "1000:2000", "limit AS": "8589934592:-1", "limit SIGPENDING": "5:6" },
  },

  // Descriptors
  {
    name: "descriptors 3, 4, 9, 300 and 1500",
    odd: [3, 4, 9, 300, 1500].map((fd) => `fd=${fd}:${fd === 9 ? "reader" : "file"}`),
    seen: {
      "descriptor 3": match(/offset 5/),
      "descriptor 4": match(/./),
      "descriptor 300": match(/./),
      "descriptor 1500": match(/./),
    },
  },
  ...["epoll", "eventfd", "timerfd", "signalfd", "inotify", "memfd", "listening", "directory", "path"].map(
    (kind): Case => ({
      name: `descriptors that are ${kind}`,
      odd: [3, 5, 20, 400].map((fd) => `fd=${fd}:${kind}`),
      seen: { "descriptor 3": match(/./), "descriptor 400": match(/./) },
    }),
  ),
  {
    name: "200 descriptors",
    odd: Array.from({ length: 200 }, (_, i) => `fd=${100 + i}:null`),
    seen: { "descriptor 100": match(/null/), "descriptor 299": match(/null/) },
  },
  {
    name: "LISTEN_FDS",
    odd: ["fd=3:listening", "fd=4:listening", "listen=2"],
    seen: {
      "descriptor 3": match(/socket/),
      "descriptor 4": match(/socket/),
      "environment 1": "LISTEN_FDS=2",
      "environment 2": "LISTEN_PID=SPAWNED",
    },
  },
  {
    name: "locks on a file",
    odd: ["fd=9:file", "lock=9"],
    seen: { "lock 0": "FLOCK READ 0 EOF", "lock 1": "POSIX WRITE 2 4" },
  },
  ...Object.entries(stdio).flatMap(([kind, setups]): Case[] => [
    {
      name: `0, 1 and 2: ${kind}`,
      odd: setups(""),
      seen: { "descriptor 0": match(/^flags (\d*[0-3]\d{3}|\d{1,3}),/) },
    },
    {
      name: `0, 1 and 2: ${kind}, O_NONBLOCK`,
      odd: setups(":nonblock"),
      seen: { "descriptor 0": match(/^flags \d*[4-7]\d{3},/) },
    },
  ]),
  ...[[0], [1], [2], [0, 1, 2]].map(
    (closed): Case => ({
      name: `${closed} closed`,
      odd: closed.map((fd) => `close=${fd}`),
      seen: Object.fromEntries(closed.map((fd) => [`terminal on ${fd}`, "EBADF"])),
    }),
  ),
  {
    name: "0 to 3 closed, and an epoll at 4",
    odd: ["close=0", "close=1", "close=2", "fd=4:epoll"],
    seen: { "terminal on 0": "EBADF", "descriptor 4": match(/eventpoll/) },
  },

  // Terminal, session, process
  {
    name: "a terminal in raw mode",
    odd: ["session", "fd=0:tty", "raw=0"],
    seen: {
      "terminal on 0": match(/^33x99, settings 00/),
      "controlling terminal": "1",
      "foreground of 0": "SPAWNED",
    },
  },
  {
    name: "a session without a terminal",
    odd: ["session"],
    seen: { session: "SPAWNED", "process group": "SPAWNED", "controlling terminal": "ENXIO" },
  },
  { name: "a child that runs", odd: ["child"], seen: { children: "1", "ended child": "0" } },
  { name: "a child that has ended", odd: ["ended=7"], seen: { children: "1", "ended child": "7" } },

  // Arguments and environment
  {
    name: "arguments, byte for byte",
    odd: [],
    words: [
      "",
      "a b",
      "\\xff\\x0a",
      "é",
      "--",
      "--netns",
      "-v",
      "--help",
      "run",
      "",
      "x".repeat(100_000),
      "",
    ],
    seen: {
      "argument 2": "",
      "argument 4": "\\xff\\x0a",
      "argument 12": match(/^x{100000}$/),
      "argument 13": "",
    },
  },
  {
    name: "entries that are duplicate, empty, without a name or not UTF-8",
    odd: [
      "env=A=1",
      "env=A=2",
      "env=",
      "env=no-equals",
      "env==x",
      "env=\\xff\\xfe=\\xed\\xa0\\x80",
      "env=N=\\x0a",
    ],
    seen: {
      "environment 1": "A=1",
      "environment 2": "A=2",
      "environment 3": "",
      "environment 6": "\\xff\\xfe=\\xed\\xa0\\x80",
    },
  },
  {
    name: "a very long entry",
    odd: [`env=A=${"x".repeat(120_000)}`],
    seen: { "environment 1": match(/x{120000}$/) },
  },
  { name: "an empty environment", odd: ["clear"], seen: { environment: "0" } },
  {
    name: "variables that the runtime reads",
    odd: [
      "env=NODE_OPTIONS=--x",
      "env=NO_COLOR=1",
      "env=TZ=XYZ",
      "env=TMPDIR=/none",
      "env=NODE_CHANNEL_FD=3",
    ],
    seen: { "environment 5": "NODE_CHANNEL_FD=3" },
  },

  // Directory
  {
    name: "in a chroot",
    odd: [`root=${directory}/root`, `cwd=${directory}`],
    seen: { getcwd: directory, cwd: directory },
  },
  { name: "umask 0", odd: ["umask=0"], seen: { Umask: "0000" } },
  { name: "umask 0777", odd: ["umask=0777"], seen: { Umask: "0777" } },
  {
    name: "cwd deleted",
    odd: [`cwd=${gone}`],
    seen: { cwd: match(/gone \(deleted\)$/), getcwd: "ENOENT" },
  },
  {
    name: "cwd of another user's, closed",
    odd: [`cwd=${directory}/closed`],
    seen: { getcwd: `${directory}/closed` },
  },

  // Scheduling
  { name: "nice", odd: ["nice=7"], seen: { scheduling: match(/^0 0 0 7 /) } },
  { name: "SCHED_BATCH", odd: ["sched=BATCH:0"], seen: { scheduling: match(/^3 /) } },
  { name: "SCHED_IDLE", odd: ["sched=IDLE:0"], seen: { scheduling: match(/^5 /) } },
  { name: "SCHED_FIFO", odd: ["sched=FIFO:10"], seen: { scheduling: match(/^1 0 0 0 a /) } },
  { name: "one processor", odd: ["affinity=1"], seen: { Cpus_allowed_list: "1" } },
  { name: "I/O priority", odd: ["ioprio=2:7"], seen: { ioprio: "16391" } },
  { name: "memory policy", odd: ["mempolicy=2"], seen: { "memory policy": "2" } },

  // What the kernel keeps beside
  { name: "oom_score_adj", odd: ["proc=oom_score_adj:500"], seen: { oom_score_adj: "500\\x0a" } },
  { name: "coredump_filter", odd: ["proc=coredump_filter:0x7f"], seen: { coredump_filter: "0000007f\\x0a" } },
  { name: "no randomized addresses", odd: ["personality=0x40000"], seen: { personality: "00040000\\x0a" } },
  {
    name: "timers",
    odd: ["timer=REAL:100000:1", "timer=VIRTUAL:200000:2", "timer=PROF:300000:3"],
    seen: {
      "timer REAL": "100000, every 1",
      "timer VIRTUAL": "200000, every 2",
      "timer PROF": "300000, every 3",
    },
  },
  { name: "no_new_privs", odd: ["prctl=NO_NEW_PRIVS:1"], seen: { NO_NEW_PRIVS: "1" } },
  { name: "PDEATHSIG", odd: ["prctl=PDEATHSIG:15"], seen: { PDEATHSIG: "15" } },
  { name: "timer slack", odd: ["prctl=TIMERSLACK:12345"], seen: { TIMERSLACK: "12345" } },
  { name: "child subreaper", odd: ["prctl=CHILD_SUBREAPER:1"], seen: { CHILD_SUBREAPER: "1" } },
  { name: "no huge pages", odd: ["prctl=THP_DISABLE:1"], seen: { THP_DISABLE: "1" } },
  { name: "machine checks", odd: ["prctl=MCE_KILL:1:1"], seen: { MCE_KILL: "1" } },
  { name: "securebits", odd: ["prctl=SECUREBITS:4"], seen: { SECUREBITS: "4" } },
  { name: "a smaller bounding set", odd: ["prctl=CAPBSET_DROP:22"], seen: { CapBnd: match(/bfffff$/) } },
  // Both end at execve(2), for any program.
  {
    name: "not dumpable, keepcaps",
    odd: ["prctl=DUMPABLE:0", "prctl=KEEPCAPS:1"],
    seen: { DUMPABLE: "1", KEEPCAPS: "0" },
  },
  { name: "supplementary groups", odd: ["groups=5:100:65534"], seen: { Groups: "5 100 65534 " } },
  { name: "a seccomp filter", odd: ["seccomp"], seen: { SECCOMP: "2", Seccomp_filters: "1" } },
  {
    name: "a user with CAP_DAC_OVERRIDE, CAP_SYS_CHROOT and CAP_SYS_ADMIN",
    odd: ["user=65534:0x240002"],
    seen: { Uid: match(/^65534/), CapAmb: "0000000000240002" },
  },
];

/** Starts the printer of states from an odd one, directly or by a command. Returns what it saw. */
async function observe(odd: readonly string[], by: readonly string[], words: readonly string[] = []) {
  rmSync(OUT, { force: true });
  const child = Bun.spawn([ODD, ...odd, "--", ...by, STATE, OUT, ...words], {
    cwd: directory,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  expect({ stdout, stderr, status }).toEqual({ stdout: "", stderr: "", status: 0 });
  return read(readFileSync(OUT, "utf8"), child.pid);
}

/** Its lines by name. The numbers that the kernel counts up with each start are put into words. */
function read(text: string, spawned: number): Record<string, string> {
  const own = Number(/^pid: (\d+)$/m.exec(text)?.[1]);
  const processes: Record<string, string> = { [own]: "SELF", [spawned]: "SPAWNED" };
  const anonymous: string[] = [];
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line): [string, string] => {
      const at = line.indexOf(": ");
      const [name, value] = [line.slice(0, at), line.slice(at + 2)];
      if (/^(pid|parent|process group|session|foreground of|session of)/.test(name)) {
        return [name, processes[value] ?? value];
      }
      const words = value
        .replace(new RegExp(`^LISTEN_PID=${spawned}$`), "LISTEN_PID=SPAWNED")
        .replace(/autogroup-\d+/, "autogroup-N")
        .replace(/\/dev\/pts\/\d+/, "/dev/pts/N")
        .replace(/(pipe|socket):\[\d+\]/, (object, kind) => {
          if (!anonymous.includes(object)) anonymous.push(object);
          return `${kind} ${anonymous.indexOf(object)}`;
        });
      return [name, words];
    });
  return Object.fromEntries(lines);
}

/** All is the same, but the network namespace, which is the named one, and the mount namespace, now its own. */
function expectSame(ours: Record<string, string>, direct: Record<string, string>): void {
  const { "namespace mnt": ownMounts, "namespace net": ownNetwork, ...rest } = ours;
  const { "namespace mnt": hostMounts, "namespace net": _, ...wanted } = direct;
  expect(rest).toEqual(wanted);
  expect(ownNetwork).toBe(`net:[${statSync(`/run/netns/${ID}`).ino}]`);
  expect(ownMounts).toMatch(/^mnt:\[\d+\]$/);
  expect(ownMounts).not.toBe(hostMounts as string);
}

/** As users start things: the program's words follow. */
const launchers: [string[], Case["seen"]][] = [
  [["env", "-i", "A=1"], { "environment 0": "A=1" }],
  [["setsid"], { session: "SPAWNED" }],
  [["nohup"], { SigIgn: "0000000000000001" }],
  [["timeout", "60"], { pid: "SELF", parent: "SPAWNED" }],
  [["nice", "-n", "5"], { scheduling: match(/^0 0 0 5 /) }],
  [["prlimit", "--nofile=512:1024"], { "limit NOFILE": "512:1024" }],
  [["setpriv", "--no-new-privs"], { NO_NEW_PRIVS: "1" }],
  [
    ["sh", "-c", 'umask 027; exec "$@" 5</etc/passwd', "sh"],
    { Umask: "0027", "descriptor 5": match(/passwd/) },
  ],
  [
    ["env", "-i", "A=1", "setsid", "nice", "-n", "5", "timeout", "60", "nohup"],
    { "environment 0": "A=1", session: "SPAWNED", SigIgn: "0000000000000001", parent: "SPAWNED" },
  ],
];

describe.each(entries)("by %s", (entry) => {
  let nspin: string[];
  beforeAll(() => {
    nspin = enterBy(entry, ["--netns", ID]);
  });

  test.each(cases)("$name", async ({ odd, seen, words }) => {
    const direct = await observe(odd, [], words);
    expect({ ...direct }).toMatchObject(seen); // bun writes the patterns into what it compares
    expectSame(await observe(odd, nspin, words), direct);
  });

  test.each(launchers)("started by %p", async (launcher, seen) => {
    const by = ["/usr/bin/env", ...launcher];
    const direct = await observe([], by);
    expect({ ...direct }).toMatchObject(seen);
    expectSame(await observe([], [...by, ...nspin]), direct);
  });

  test("started by nspin, itself started by nspin", async () => {
    const outer = enterBy(entry, ["--bind", `${world}:${hello}`]);
    expectSame(await observe([], [...outer, ...nspin]), await observe([], []));
  });

  test("its exit status and the signal that ends it are its own", async () => {
    expect((await start([...nspin, "sh", "-c", "exit 42"])).status).toBe(42);
    const child = Bun.spawn([...nspin, "sh", "-c", "kill -PIPE $$"]);
    await child.exited;
    expect(child.signalCode).toBe("SIGPIPE");
  });
});

describe.each(["setns", "launcher"] as const)("as another user, by %s", (entry) => {
  const DAC_OVERRIDE = 1;
  const user = (capability: string, bits: string) => ({
    ...{ Uid: Array(4).fill(65534).join("\\x09"), Gid: Array(4).fill(65534).join("\\x09"), Groups: "" },
    ...{ CapInh: bits, CapPrm: bits, CapEff: bits, CapBnd: bits, CapAmb: bits, NO_NEW_PRIVS: "0" },
    ...{ SECUREBITS: "0", "argument 2": capability },
  });
  beforeAll(() => chmodSync(directory, 0o777));
  afterAll(() => chmodSync(directory, 0o755));

  test.each([
    ["", "0000000000000000"],
    ["dac_override", (1 << DAC_OVERRIDE).toString().padStart(16, "0")],
  ])("with the capabilities %p", async (capability, bits) => {
    const sets = capability === "" ? "-all" : `-all,+${capability}`;
    const caps = ["--inh-caps", "--ambient-caps", "--bounding-set"].map((set) => `${set}=${sets}`);
    const setpriv = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...caps];
    const options = ["--user", "65534:65534", ...(capability === "" ? [] : ["--caps", capability])];
    const nspin = enterBy(entry, ["--netns", ID, ...options]);
    const odd = ["ignore=PIPE", "fd=5:file", "umask=027", "groups=5:100", "env=A=1"];
    const direct = await observe(odd, setpriv, [capability]);
    expect({ ...direct }).toMatchObject(user(capability, bits));
    expectSame(await observe(odd, nspin, [capability]), direct);
  });
});
