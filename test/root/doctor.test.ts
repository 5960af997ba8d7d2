// nspin doctor: each fault is made, found with its remedy, and gone when it is mended.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountinfo } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { until } from "../kit/until.ts";
import { compile } from "./compile.ts";
import { whileHanging } from "./hanging.ts";
import { AS_NOBODY, start, without } from "./start.ts";
import { readJson } from "./tasks.ts";

const STUB = "/run/systemd/resolve/stub-resolv.conf";

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly what: string;
  readonly remedy: string | null;
}

/** What is found, by a doctor that this command starts; the exit status is as the document has it. */
async function doctor(before: readonly string[] = [], ...words: string[]): Promise<Finding[]> {
  const { stdout, stderr, status } = await start([...before, NSPIN, "doctor", "--json", ...words]);
  expect(stderr).toBe("");
  const { fit, findings } = readJson("doctor", stdout);
  expect([fit, status]).toEqual(
    findings.some(({ level }: Finding) => level === "problem") ? [false, 1] : [true, 0],
  );
  return findings;
}

const of = (check: string, findings: readonly Finding[]) => findings.filter((one) => one.check === check);
const bad = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== "ok");
const one = (check: string, level: string, what: string, remedy: string) =>
  expect.objectContaining({
    ...{ check, level },
    what: expect.stringContaining(what),
    remedy: expect.stringContaining(remedy),
  });

beforeAll(async () => {
  await ownResolvConf(STUB);
});
beforeEach(async () => {
  await $`rm -rf /run/netns /etc/netns /run/nscd && mkdir -p /run/systemd/resolve`.nothrow().quiet();
  await $`ln -sfn ..${STUB} /etc/resolv.conf && echo nameserver 192.0.2.1 >${STUB}`;
  writeFileSync("/etc/nsswitch.conf", "hosts: files dns\n");
});
afterAll(async () => {
  await $`umount -l /etc /run`.nothrow().quiet();
});

test("a host that is fit: each check once, all of them ok", async () => {
  const findings = await doctor();
  expect(findings.map(({ level, check }) => `${level} ${check}`)).toEqual([
    ...["ok privilege", "ok calls", "ok nsenter", "ok propagation", "ok resolv.conf"],
    ...["ok method", "ok keeper", "ok past-the-file", "ok netns", "ok memory"],
  ]);
});

test("for people: a line each, the remedy below", async () => {
  writeFileSync("/etc/nsswitch.conf", "hosts: files resolve dns\n");
  const { stdout, status } = await start([NSPIN, "doctor"]);
  const lines = stdout.split("\n");
  expect([status, lines[0]]).toEqual([0, expect.stringMatching(/^ok {7}privilege {6}CAP_SYS_ADMIN, /)]);
  const at = lines.findIndex((line) =>
    line.startsWith("note     past-the-file  systemd-resolved, by 'resolve'"),
  );
  expect(lines[at + 1]).toMatch(/^ {24}remedy: /);
});

test("it changes nothing: no mount, no file", async () => {
  const state = async () => [
    mountinfo(),
    await $`find /run /etc -newermt @0 -printf "%p %s %T@\n" | sort`.text(),
  ];
  const before = await state();
  await doctor();
  expect(await state()).toEqual(before);
});

// --- privilege ---

test("without CAP_SYS_ADMIN, as by CapabilityBoundingSet=", async () => {
  const findings = await doctor(without("sys_admin"));
  expect(of("privilege", findings)).toEqual([
    one("privilege", "problem", "CAP_SYS_ADMIN is missing", "run it as root"),
  ]);
  expect(of("calls", findings)).toEqual([]);
  expect(of("method", findings)).toEqual([
    one("method", "note", "by rejoin or pin: only root can ask", "run it as root"),
  ]);
});

test.each([
  ["sys_chroot", "nsenter cannot enter"],
  ["sys_ptrace", "the keeper cannot tell"],
  ["dac_read_search", "the keeper follows no source"],
])("without %s", async (capability, what) => {
  expect(of("privilege", await doctor(without(capability)))).toEqual([
    one("privilege", "note", `CAP_${capability.toUpperCase()} is missing: ${what}`, "CapabilityBoundingSet="),
  ]);
});

test("in a user namespace", async () => {
  const findings = await doctor([
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--propagation",
    "unchanged",
  ]);
  expect(of("privilege", findings)).toContainEqual(
    one("privilege", "note", "this is a user namespace", "host's root"),
  );
  expect(of("calls", findings)).toContainEqual(
    one(
      "calls",
      "problem",
      "cannot call setns(CLONE_NEWNET): Operation not permitted (EPERM)",
      "of an outer user namespace: start it there, as the host's root",
    ),
  );
});

// --- calls ---

const X64: Record<string, number> = {
  ...{ unshare: 272, mount: 165, setns: 308, open_tree: 428, move_mount: 429, pidfd_open: 434 },
  mount_setattr: 442,
};
const ARM64 = { unshare: 97, mount: 40, setns: 268 };
const numberOf = (call: string) => String({ ...X64, ...(process.arch === "arm64" ? ARM64 : {}) }[call]);
const refuse = (call: string, error: number) => [compile("refuse"), numberOf(call), String(error)];
const [EPERM, ENOSPC, ENOSYS] = [1, 28, 38];

describe("a seccomp filter", () => {
  test.each([
    ["unshare", "problem", "cannot call unshare(CLONE_NEWNS): Operation not permitted (EPERM)"],
    ["mount", "problem", "cannot call mount(MS_SLAVE): Operation not permitted (EPERM)"],
    ["open_tree", "problem", "cannot call open_tree(OPEN_TREE_CLONE): Operation not permitted (EPERM)"],
    ["move_mount", "problem", "cannot call move_mount: Operation not permitted (EPERM)"],
    ["mount_setattr", "note", "cannot call mount_setattr: Operation not permitted (EPERM): no keeper stays"],
    ["pidfd_open", "note", "cannot call pidfd_open: Operation not permitted (EPERM): no keeper stays"],
    ["setns", "problem", "cannot call setns(CLONE_NEWNET): Operation not permitted (EPERM)"],
  ])("refuses %s", async (call, level, what) => {
    const found = of("calls", await doctor(refuse(call, EPERM)));
    expect(found).toContainEqual(one("calls", level, what, "a seccomp filter is at work"));
  });

  test.each(["unshare", "mount", "open_tree", "move_mount", "mount_setattr", "setns"])(
    "kills who calls %s: the others are asked all the same",
    async (call) => {
      const found = of("calls", await doctor(refuse(call, 0)));
      const killed = bad(found).filter(({ what }) => what.includes("a seccomp filter kills who calls it"));
      expect(killed[0]).toEqual(one("calls", "problem", call, "SystemCallFilter=@system-service @mount"));
      expect(found[0]?.what).toContain(call === "setns" ? "unshare" : "setns(CLONE_NEWNET)");
    },
  );
});

describe("an older kernel", () => {
  test.each([
    ["open_tree", "problem", "", "Linux 5.2 or later"],
    ["move_mount", "problem", "", "Linux 5.2 or later"],
    ["mount_setattr", "note", ": no keeper stays beside a program", "Linux 5.12 or later"],
    ["pidfd_open", "note", ": no keeper stays beside a program", "Linux 5.3 or later"],
  ])("has no %s", async (call, level, effect, remedy) => {
    const found = of("calls", await doctor(refuse(call, ENOSYS)));
    expect(found).toContainEqual(one("calls", level, `: this kernel has none${effect}`, remedy));
  });
});

test("a sysctl allows no mount namespace", async () => {
  const script = `echo 0 >/proc/sys/user/max_mnt_namespaces && exec ${NSPIN} doctor --json`;
  const { stdout, status } = await start(["unshare", "--user", "--map-root-user", "sh", "-c", script]);
  expect(status).toBe(1);
  expect(of("calls", readJson("doctor", stdout).findings)).toContainEqual(
    one("calls", "problem", "No space left on device (ENOSPC)", "user.max_mnt_namespaces"),
  );
  expect(ENOSPC).toBe(28);
});

// --- nsenter ---

describe("nsenter", () => {
  const NSENTER = "/usr/bin/nsenter";
  afterAll(() => $`mv /usr/bin/nsenter.kept ${NSENTER}`.then(() => {}));
  beforeAll(() => $`mv ${NSENTER} /usr/bin/nsenter.kept`.then(() => {}));
  const all = async () => [...of("nsenter", await doctor()), ...of("nsenter", await doctor([], "--image"))];

  test("is missing", async () => {
    const missing = one(
      "nsenter",
      "problem",
      "/usr/bin/nsenter is not there",
      "install util-linux; --enter setns",
    );
    expect(await all()).toEqual([missing, missing]);
  });
  test("is one that has not the options", async () => {
    writeFileSync(
      NSENTER,
      '#!/bin/sh\n[ "$1" = --version ] || { echo "nsenter: unrecognized option" >&2; exit 1; }\n',
      { mode: 0o755 },
    );
    expect((await all())[0]).toEqual(
      one("nsenter", "note", "cannot enter as a launch needs it: nsenter: unrecognized option", "util-linux"),
    );
  });
  test.each([
    ["cannot be executed", "exit 0", 0o644, "cannot start /usr/bin/nsenter: Permission denied (EACCES)"],
    ["does not end", "sleep 60", 0o755, "it has not ended after 10 s"],
  ])("%s", async (_, script, mode, what) => {
    await $`rm -f ${NSENTER}`;
    writeFileSync(NSENTER, `#!/bin/sh\n${script}\n`, { mode });
    expect((await all())[0]).toEqual(one("nsenter", "note", what, "--enter setns does without"));
  });
  test("is util-linux's", async () => {
    await $`cp /usr/bin/nsenter.kept ${NSENTER}`;
    const ok = { check: "nsenter", level: "ok", remedy: null };
    expect(await all()).toEqual([
      { ...ok, what: expect.stringMatching(/^nsenter from util-linux [\d.]+, which can enter$/) },
      { ...ok, what: expect.stringMatching(/^nsenter from util-linux [\d.]+$/) },
    ]);
  });
});

// --- propagation ---

test.each([
  ["private", "/ is private"],
  ["slave", "/ is a slave"],
  ["shared", "/ is no peer of the host's"],
])("a / that is %s to the host's", async (propagation, what) => {
  const script = `mount --make-${propagation} / && exec ${NSPIN} doctor --json`;
  const own = ["unshare", "--mount", "--propagation", propagation === "slave" ? "slave" : "private"];
  const { stdout } = await start([...own, "sh", "-c", script]);
  expect(of("propagation", readJson("doctor", stdout).findings)).toEqual([
    one("propagation", "note", what, "mount --make-rshared /"),
  ]);
});

// --- resolv.conf, and how auto covers it ---

describe("/etc/resolv.conf", () => {
  const found = async () => of("resolv.conf", await doctor());
  const write = (text: string) => $`rm -f /etc/resolv.conf && printf %s ${text} >/etc/resolv.conf`;

  test.each([
    ["/run/systemd/resolve/stub-resolv.conf", "systemd-resolved replaces"],
    ["/run/systemd/resolve/resolv.conf", "systemd-resolved replaces"],
    ["/run/resolvconf/resolv.conf", "resolvconf replaces"],
    ["/run/netconfig/resolv.conf", "netconfig replaces"],
  ])("leads to %s", async (path, writer) => {
    await $`mkdir -p $(dirname ${path}) && echo nameserver 192.0.2.1 >${path} && ln -sfn ${path} /etc/resolv.conf`;
    expect(await found()).toEqual([
      {
        check: "resolv.conf",
        level: "ok",
        what: `/etc/resolv.conf is a symbolic link to ${path}, which ${writer}`,
        remedy: null,
      },
    ]);
  });
  test.each([
    ["# Generated by resolvconf\n", "resolvconf replaces"],
    ["# Generated by dhcpcd from eth0\n", "dhcpcd replaces"],
    ["; generated by /usr/sbin/dhclient-script\n", "dhclient replaces"],
    ["; Created by cloud-init automatically\n", "cloud-init replaces"],
    [
      "# This is /run/systemd/resolve/resolv.conf managed by man:systemd-resolved(8).\n",
      "systemd-resolved replaces",
    ],
  ])("begins with %p", async (text, writer) => {
    await write(text);
    expect((await found())[0]?.what).toBe(`/etc/resolv.conf is a plain file, which ${writer}`);
  });

  test("is replaced by NetworkManager, by its own word for how", async () => {
    await write("# Generated by NetworkManager\n");
    const program = "/usr/sbin/NetworkManager";
    expect(existsSync(program)).toBe(false); // the real one is asked in test/boot/software.test.ts
    writeFileSync(
      program,
      '#!/bin/sh\n[ "$1" = --print-config ] && printf "[main]\\n# dns=\\nrc-manager=file\\n"\n',
      { mode: 0o755 },
    );
    expect((await found())[0]?.what).toBe(
      "/etc/resolv.conf is a plain file, which NetworkManager replaces (rc-manager=file)",
    );
    await write("nameserver 192.0.2.1\n");
    expect((await found())[0]?.what).toContain(
      "NetworkManager replaces once it has a connection (rc-manager=file)",
    );
    await $`rm ${program}`;
  });
  test("is a plain file that nobody replaces", async () => {
    await write("nameserver 192.0.2.1\n");
    expect((await found())[0]?.what).toBe("/etc/resolv.conf is a plain file; nobody is known to replace it");
  });
  test("is a mount", async () => {
    await write("nameserver 192.0.2.1\n");
    await $`mount --bind ${STUB} /etc/resolv.conf`;
    expect((await found())[0]?.what).toStartWith("/etc/resolv.conf is a mount of its own");
    await $`umount /etc/resolv.conf`;
  });
  test("is pinned, until it is unpinned", async () => {
    await write("nameserver 192.0.2.1\n");
    const pin = ["run", "--method", "pin", "--bind", `${STUB}:/etc/resolv.conf`, "--", "true"];
    expect((await start([NSPIN, ...pin])).status).toBe(0);
    expect(await found()).toEqual([
      one("resolv.conf", "note", "a mount of the file onto itself, as method pin leaves it", "nspin unpin"),
    ]);
    expect((await start([NSPIN, "unpin"])).status).toBe(0);
    expect((await found())[0]?.level).toBe("ok");
  });
  test("leads nowhere, or is not there", async () => {
    await $`rm ${STUB}`;
    expect(await found()).toEqual([
      one("resolv.conf", "note", `leads nowhere, to ..${STUB}`, "start what makes it"),
    ]);
    await $`rm /etc/resolv.conf`;
    expect(await found()).toEqual([one("resolv.conf", "note", "/etc/resolv.conf is not there", "touch")]);
  });
  test("is a FIFO, for whose writer nobody waits", async () => {
    await $`rm /etc/resolv.conf && mkfifo /etc/resolv.conf`;
    expect(await found()).toEqual([one("resolv.conf", "problem", "is neither a file nor", "make it one")]);
    await $`rm /etc/resolv.conf`;
  });
  test("leads to itself", async () => {
    await $`ln -sfn resolv.conf /etc/resolv.conf`;
    expect(await found()).toEqual([
      one("resolv.conf", "note", "leads nowhere, to resolv.conf", "start what makes it"),
    ]);
  });
  test("has a name in it that would write to the terminal", async () => {
    await $`ln -sfn ${"\x1b[31mx"} /etc/resolv.conf`;
    expect((await start([NSPIN, "doctor"])).stdout).not.toContain("\x1b");
  });
});

describe("the method", () => {
  const method = async (before: readonly string[] = []) => of("method", await doctor(before));

  test("rejoin, with a keeper", async () => {
    expect(await method()).toEqual([
      {
        check: "method",
        level: "ok",
        remedy: null,
        what: expect.stringMatching(/^auto covers it by rejoin: nothing of it stays/),
      },
    ]);
  });
  test("pin, where the kernel cannot rejoin", async () => {
    await $`rm /etc/resolv.conf && echo nameserver 192.0.2.1 >/etc/resolv.conf`;
    const own = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"];
    const script = `mount --make-rshared / && exec ${NSPIN} doctor --json`;
    const { stdout } = await start([...own, "sh", "-c", script]);
    const [found] = of("method", readJson("doctor", stdout).findings);
    expect(found).toEqual(one("method", "note", "auto covers it by pin: in a user namespace", "nspin unpin"));
  });
  test("none, where a filter refuses move_mount(2): in the launch's own words", async () => {
    expect(await method(refuse("move_mount", EPERM))).toEqual([
      one(
        "method",
        "problem",
        "cannot use method auto on /etc/resolv.conf: Operation not supported",
        "move_mount(2) is refused",
      ),
    ]);
  });
  test("without a keeper", async () => {
    expect(await method(refuse("pidfd_open", EPERM))).toEqual([
      expect.objectContaining({ level: "note", what: expect.stringContaining("no keeper stays") }),
    ]);
  });
});

// --- what goes past the file, netns, and what a kernel is set to ---

test("nsswitch.conf asks systemd-resolved, and nscd is there", async () => {
  writeFileSync("/etc/nsswitch.conf", "hosts: files resolve [!UNAVAIL=return] dns\n");
  mkdirSync("/run/nscd");
  const server = Bun.listen({ unix: "/run/nscd/socket", socket: { data() {} } });
  const found = of("past-the-file", await doctor([], "--image"));
  server.stop();
  expect(found).toEqual([
    one(
      "past-the-file",
      "note",
      "systemd-resolved, by 'resolve' in the line 'hosts:'",
      "start programs with --own-dns",
    ),
    one("past-the-file", "note", "nscd, by /run/nscd/socket", "start programs with --own-dns"),
  ]);
});

test.each([
  ["hosts: files dns\n\fhosts\tfiles resolve[!UNAVAIL=return]dns\n", 1],
  ["hosts: resolve\n hosts:files dns resolve\n", 0],
  ["hosts: dns\nfoo\rhosts: resolve\n#hosts: resolve\n", 0],
])("the last line of hosts counts, as glibc reads it: %j", async (nsswitch, count) => {
  writeFileSync("/etc/nsswitch.conf", nsswitch);
  expect(bad(of("past-the-file", await doctor([], "--image")))).toHaveLength(count);
});

test("names of network namespaces", async () => {
  const found = async () => of("netns", await doctor());
  await $`mkdir -p /run/netns /etc/netns/late && touch /run/netns/late`;
  const placeholder = one(
    "netns",
    "problem",
    "/run/netns/late is a name with no network namespace",
    "ip netns delete late",
  );
  const empty = one(
    "netns",
    "note",
    "/etc/netns/late has no resolv.conf with something in it",
    "nspin run --wait",
  );
  expect(await found()).toEqual([placeholder, empty]);
  await $`rm /run/netns/late && ip netns add late && touch /etc/netns/late/resolv.conf`;
  expect(await found()).toEqual([empty]);
  await $`echo nameserver 10.0.0.2 >/etc/netns/late/resolv.conf`;
  expect(await found()).toEqual([{ check: "netns", level: "ok", what: "1 in /run/netns", remedy: null }]);
  await $`ip netns delete late && umount -l /run/netns`.nothrow().quiet();
});

test("what cannot be looked at, and what is beside the directories of /etc/netns, ends nothing", async () => {
  await $`mkdir -p /run/nscd /etc/netns && ln -s socket /run/nscd/socket && touch /etc/netns/README`;
  expect(bad(await doctor())).toEqual([]);
  await $`mkdir -p /etc/netns/loop && ln -s resolv.conf /etc/netns/loop/resolv.conf`;
  expect(bad(await doctor())).toEqual([
    one("netns", "note", "/etc/netns/loop has no resolv.conf with something in it", "write"),
  ]);
  await $`chmod 700 /etc/netns/loop`;
  expect(of("netns", await doctor(AS_NOBODY)).map(({ level }) => level)).toEqual(["ok"]);
});

/** In a mount namespace where those files of /proc say that: the kernel's own are this whole machine's. */
const where = (files: Record<string, string>) => {
  const script = Object.entries(files).map(
    ([path, text]) =>
      `printf '%s\\n' '${text}' >/run/said && cp /run/said "/run/said.\${n:=0}" && mount --bind "/run/said.$n" ${path} && n=$((n+1))`,
  );
  return [
    "unshare",
    "--mount",
    "--propagation",
    "unchanged",
    "sh",
    "-c",
    `mount --make-rslave / && ${script.join(" && ")} && exec "$@"`,
    "sh",
  ];
};

test.each([
  ["CommitLimit: 4194304 kB\nCommitted_AS: 2097152 kB", "problem", "2048 MiB are left"],
  ["CommitLimit: 41943040 kB\nCommitted_AS: 2097152 kB", "note", "38912 MiB are left"],
])("vm.overcommit_memory is 2: %p", async (memory, level, left) => {
  const files = { "/proc/sys/vm/overcommit_memory": "2", "/proc/meminfo": `MemAvailable: 1 kB\n${memory}` };
  expect(of("memory", await doctor(where(files)))).toEqual([
    one("memory", level, left, "a launcher of 'nspin bake'"),
  ]);
});

test("the mount table is nearly full", async () => {
  expect(of("memory", await doctor(where({ "/proc/sys/fs/mount-max": "20" })))).toEqual([
    one("memory", "note", "mounts of 20 are there", "sysctl fs.mount-max"),
  ]);
});

test("/proc is that of a unit with ProcSubset=pid", async () => {
  const script = `mount -t proc -o subset=pid proc /proc && exec ${NSPIN} doctor --json`;
  const { stdout } = await start(["unshare", "--mount", "sh", "-c", script]);
  expect(of("memory", readJson("doctor", stdout).findings)).toMatchObject([{ level: "ok" }]);
});

test("the keeper is told of no names", async () => {
  expect(of("keeper", await doctor(where({ "/proc/sys/fs/dir-notify-enable": "0" })))).toEqual([
    one("keeper", "note", "it is told of mounts only", "sysctl fs.dir-notify-enable=1"),
  ]);
});

// --- what cannot be looked at ---

const failing = (path: string) => [
  ...["strace", "-f", "--quiet=attach,exit,path-resolution", "-o", "/dev/null", "-e", "trace=statx,openat"],
  ...["-e", "inject=statx,openat:error=EIO", "-P", path],
];
test.each([
  ["privilege", "/proc/self/uid_map"],
  ["nsenter", "/usr/bin/nsenter"],
  ["resolv.conf", "/etc/resolv.conf"],
  ["keeper", "/proc/sys/fs/dir-notify-enable"],
  ["netns", "/run/netns"],
])("%s: an error of the kernel's for %s is a problem, and no other verdict", async (check, path) => {
  await $`mkdir -p /run/netns`;
  expect(of(check, await doctor(failing(path)))).toEqual([
    expect.objectContaining({
      ...{ check, level: "problem" },
      what: `cannot examine ${check}: Input/output error (EIO)`,
    }),
  ]);
});

test("without its own status it can tell nothing", async () => {
  expect(await start([...failing("/proc/self/status"), NSPIN, "doctor"])).toMatchObject({
    status: 125,
    stdout: "",
    stderr: expect.stringContaining("nspin: cannot read /proc/self/status: Input/output error (EIO)\n"),
  });
});

// --- pids.max ---

describe("a cgroup has no room for a process more", () => {
  const isFirst = existsSync("/sys/fs/cgroup/pids"); // version 1
  const top = isFirst ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";
  const [outer, inner] = [`${top}/doctor`, `${top}/doctor/inner`];
  const within = (most: string) => [
    ...["sh", "-c", `echo ${most} >${outer}/pids.max && echo $$ >${inner}/cgroup.procs && exec "$@"`, "sh"],
  ];
  const keeper = async (most: string) => of("keeper", await doctor(within(most)));
  const launch = (most: string) =>
    start([...within(most), NSPIN, "run", "--no-etc", "--bind", `${STUB}:/etc/resolv.conf`, "--", "true"]);
  // In version 2 a cgroup that has processes has none below it with a limit.
  const enable = `mkdir -p ${top}/all ${outer} && for i in $(cat ${top}/cgroup.procs); do echo $i >${top}/all/cgroup.procs; done
    echo +pids >${top}/cgroup.subtree_control && echo +pids >${outer}/cgroup.subtree_control`;
  beforeAll(async () => {
    if (!isFirst) await $`sh -c ${enable}`;
    mkdirSync(inner, { recursive: true });
  });
  afterAll(async () => {
    await until(async () => (await $`rmdir ${inner} ${outer}`.nothrow().quiet()).exitCode === 0);
  });

  test("2: no keeper, and no launch; 3: both", async () => {
    const [full] = await keeper("2");
    expect(full).toEqual(
      one("keeper", "problem", "0 of the 2 processes and threads that cgroup ", "in a unit TasksMax="),
    );
    expect(full?.what).toContain("/doctor may have (pids.max) are there: a launch needs 3");
    expect(await launch("2")).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("cannot start the keeper: Resource temporarily unavailable (EAGAIN)"),
    });
    expect(bad(await keeper("3"))).toEqual([]);
    expect(await launch("3")).toMatchObject({ status: 0, stderr: "" });
  });

  test("1: doctor itself cannot look", async () => {
    expect(await start([...within("1"), NSPIN, "doctor"])).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringContaining(
        "cannot start 'nspin examine': Resource temporarily unavailable (EAGAIN)\nnspin: hint: no process can be made here: pids.max",
      ),
    });
  });

  test("others have taken nearly all of it, or all", async () => {
    const sleep = "for i in $(seq 94); do sleep 1000 & done; wait";
    const others = Bun.spawn([...within("100"), "sh", "-c", sleep]);
    try {
      await until(async () => readFileSync(`${outer}/pids.current`, "utf8") === "95\n");
      expect(bad(await keeper("104"))).toEqual([
        one("keeper", "note", "95 of the 104 processes and threads", "--no-keep"),
      ]);
      expect(bad(await keeper("97"))).toEqual([
        one("keeper", "problem", "95 of the 97 processes and threads", "--no-keep"),
      ]);
      expect(bad(await keeper("max"))).toEqual([]);
    } finally {
      await $`kill -9 ${readFileSync(`${inner}/cgroup.procs`, "utf8").trim().split("\n")}`.nothrow().quiet();
      await others.exited;
    }
  });
});

// --- what could let it wait for ever ---

describe("a file system hangs (FUSE) on", () => {
  test.each([
    ["/run/nscd", "past-the-file", "note", "nscd, by /run/nscd/socket", "--own-dns"],
    [
      "/run/systemd/resolve",
      "resolv.conf",
      "problem",
      "no answer after 20 s",
      "a FUSE or network file system",
    ],
    ["/etc/netns/slow", "netns", "problem", "no answer after 20 s", "a FUSE or network file system"],
  ])("%s: the check that needs it says so, the others are made", async (at, check, level, what, remedy) => {
    await $`mkdir -p ${at}`;
    const others = (findings: readonly Finding[]) => findings.filter((finding) => finding.check !== check);
    const before = others(await doctor()).map(({ check, level }) => `${level} ${check}`);
    await whileHanging(at, async () => {
      const findings = await doctor(["timeout", "--signal=KILL", "100"]);
      expect(of(check, findings)).toEqual([one(check, level, what, remedy)]);
      expect(others(findings).map(({ check, level }) => `${level} ${check}`)).toEqual(before);
    });
  });

  test("a link of the daemon's user leads there: nobody follows it", async () => {
    await $`mkdir -p /run/nscd /run/slow && ln -s /run/slow/socket /run/nscd/socket`;
    await whileHanging("/run/slow", async () => {
      expect(bad(await doctor(["timeout", "--signal=KILL", "100"]))).toEqual([
        one("past-the-file", "note", "nscd, by /run/nscd/socket", "--own-dns"),
      ]);
    });
  });
});

// --- an image ---

test("an image: in a chroot, without privilege and without network namespaces, only what is in it", async () => {
  const findings = await doctor(["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"], "--image");
  expect(findings.map(({ level, check }) => `${level} ${check}`)).toEqual([
    ...["ok nsenter", "ok resolv.conf", "ok past-the-file", "ok netns"],
  ]);
});
