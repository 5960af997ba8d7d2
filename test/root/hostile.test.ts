// Hostile surroundings: the program runs as it should, or it is refused by one
// line; never with less than was asked for, and nothing is left on the host.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { type Entry, enterBy, entries, start } from "./start.ts";

/** A host of its own, with its process 1: a shared tmpfs, a link and a file in it to cover, and the task's file. */
const stage = `
mount --make-rshared / && mount -t tmpfs stage /mnt && mount --make-shared /mnt && mkdir /mnt/etc || exit 99
echo host | tee /mnt/real >/mnt/etc/plain && ln -s ../real /mnt/etc/link && echo task >/mnt/task || exit 99
`;
/** Without what is the whole kernel's: test/kit/mountinfo.ts. */
const watch = `
sed s/,nsdelegate// /proc/self/mountinfo >/mnt/before
"$@"
status=$?
sed s/,nsdelegate// /proc/self/mountinfo >/mnt/after
diff /mnt/before /mnt/after
exit $status
`;

/** The command on such a host, after the setup. What the launch adds to the host's mounts is on stdout. */
function on(setup: string, command: readonly string[], env?: Record<string, string>) {
  const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const host = [...own, "sh", "-c", `${stage}${setup}\n${watch}`, "sh"];
  return start([...host, ...command], { env: { ...(process.env as Record<string, string>), ...env } });
}

const link = ["--bind", "/mnt/task:/mnt/etc/link"];
const run = (entry: Entry, ...program: string[]) => [...enterBy(entry, link), ...program];
const cat = ["cat", "/mnt/etc/link"];
const works = { status: 0, stdout: "task\n", stderr: "" };

const newRoot = `
mkdir -p /run/new && mount -t tmpfs new /run/new && cd / || exit 99
for name in *; do
  if [ "$name" = tmp ]; then continue
  elif [ -L "$name" ]; then cp -P "$name" /run/new
  elif [ -d "$name" ]; then mkdir "/run/new/$name" && mount --rbind "$name" "/run/new/$name"
  fi
done`;
interface Surroundings {
  readonly setup?: string;
  readonly env?: Record<string, string>;
  readonly prefix?: string[];
  /** Not by nsenter, which needs more rights of its own. */
  readonly not?: "nsenter";
  readonly options?: string[];
  /** "", where not said. */
  readonly stderr?: string;
}

/** With no right but CAP_SYS_ADMIN. */
const nobody = [
  ...["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--inh-caps=-all,+sys_admin"],
  ...["--ambient-caps=-all,+sys_admin", "--bounding-set=-all,+sys_admin"],
];
/** No process or thread can be made: unshare(1) has not forked, so PID 1 of the new namespace is missing. */
const noThread = ["unshare", "--pid"];

const noKeeper = "nspin: warning: no keeper, as by --no-keep: it would be process 1 after 'unshare --pid'\n";

const surroundings: Record<string, Surroundings> = {
  "/tmp noexec": { setup: "mount -t tmpfs -o noexec tmp /tmp" },
  "/tmp read-only": { setup: "mount -t tmpfs -o ro tmp /tmp" },
  "/tmp full": {
    setup:
      "mount -t tmpfs -o size=4k,nr_inodes=2 tmp /tmp; echo full >/tmp/file; touch /tmp/more 2>/dev/null",
  },
  "/tmp absent": { setup: newRoot, prefix: ["chroot", "/run/new"] },
  "TMPDIR nonexistent": { env: { TMPDIR: "/none", BUN_TMPDIR: "/none" } },
  "TMPDIR relative": { env: { TMPDIR: "relative", TMP: "." } },
  "TMPDIR somebody's": {
    setup: "mkdir -m 777 /mnt/evil && chown nobody /mnt/evil",
    env: { TMPDIR: "/mnt/evil" },
  },
  "/proc with hidepid=2": { setup: "mount -t proc -o hidepid=2 proc /proc" },
  "/proc with hidepid=2, no right but CAP_SYS_ADMIN": {
    setup: "mount -t proc -o hidepid=2 proc /proc",
    prefix: nobody,
    not: "nsenter",
  },
  "cwd deleted": { setup: "mkdir /mnt/gone && cd /mnt/gone && rmdir /mnt/gone" },
  "cwd on a mount that was lazily unmounted": {
    setup: "mkdir /mnt/gone && mount -t tmpfs gone /mnt/gone && cd /mnt/gone && umount -l /mnt/gone",
  },
  "stdin closed, and no /dev/null": {
    setup: "mount -t tmpfs dev /dev",
    prefix: ["sh", "-c", 'exec "$@" <&-', "sh"],
  },
  "no thread can be made": { prefix: noThread, stderr: noKeeper },
  "no thread can be made, and none is needed": { prefix: noThread, options: ["--no-keep"] },
  "no thread can be made, by RLIMIT_NPROC": { prefix: ["prlimit", "--nproc=1:1", ...nobody], not: "nsenter" },
  "no file may grow": { prefix: ["prlimit", "--fsize=0"] },
  "eight descriptors, by the soft limit": { prefix: ["prlimit", "--nofile=8:4096"] },
  "one process allowed": { prefix: ["prlimit", "--nproc=1"] },
  "no SELinux": { setup: "mount -t tmpfs empty /sys/fs" },
  "two thousand mounts": {
    setup: `mkdir /mnt/m && cd /mnt/m && seq 2000 | xargs mkdir &&
      seq 2000 | sed 's|.*|many /mnt/m/& tmpfs defaults 0 0|' >/mnt/fstab && mount -a -T /mnt/fstab && cd /`,
  },
  "a mount point longer than a path, once its blanks are escaped": {
    setup: `path=/mnt && name=$(printf '%200s' '')
      for level in 1 2 3 4 5 6; do path="$path/$name"; done && mkdir -p "$path" && mount -t tmpfs deep "$path"`,
  },
};

const each = Object.entries(surroundings).flatMap(([name, row]) =>
  entries.filter((entry) => row.not !== entry).map((entry) => [name, entry, row] as const),
);
test.each(each)(
  "%s, by %s",
  async (_, entry, { setup = "", env, prefix = [], options = [], stderr = "" }) => {
    const command = [...prefix, ...enterBy(entry, [...options, ...link]), ...cat];
    expect(await on(setup, command, env)).toMatchObject({ ...works, stderr });
  },
);

// --- limits that a program started directly survives: it works, or one line and 125 ---

test.each([
  ...["120M", "256M", "1G", "2G", "3G", "8G"].map((size) => ["as", size] as const),
  ...[4, 5, 6, 8, 10, 12, 14, 16, 20].map((count) => ["nofile", String(count)] as const),
])("RLIMIT %s at %s", async (limit, value) => {
  const bytes = value.replace("M", "000000").replace("G", "000000000");
  const prlimit = ["prlimit", `--${limit}=${bytes}`];
  expect(await on("", [...prlimit, "cat", "/mnt/task"])).toMatchObject(works);
  const { status, stdout, stderr } = await on("", [...prlimit, ...run("setns", ...cat)]);
  if (status === 0) expect({ stdout, stderr }).toEqual({ stdout: "task\n", stderr: "" });
  else {
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toMatch(/^nspin: cannot [^\n]+\n(nspin: hint: [^\n]+\n)?$/);
  }
});

test("an address space smaller than the binary: execve(2) itself kills it, and nothing has run", async () => {
  const { status, stdout, stderr } = await on("", ["prlimit", "--as=64000000", ...run("nsenter", ...cat)]);
  expect({ status, stdout }).toEqual({ status: 128 + 11, stdout: "" });
  expect(stderr).toBe("Segmentation fault\n"); // the shell's
});

// --- a launch that fails says why, and help is there, whatever the runtime cannot have ---

describe.each([
  ["no thread", noThread],
  ["no thread, by RLIMIT_NPROC", ["prlimit", "--nproc=1:1", ...nobody]],
  ["a stack of 32 KiB", ["prlimit", "--stack=32768:8388608"]],
])("with %s", (_, prefix) => {
  test.each(["setns", "launcher"] as const)("by %s", async (entry) => {
    for (const [program, status, why] of [
      ["/none", 127, ["cannot find /none: No such file or directory (ENOENT)"]],
      [
        "/etc/passwd",
        126,
        [
          "cannot find /etc/passwd: Permission denied (EACCES)",
          "hint: it may not be executed: look at its mode, and at the way to it",
        ],
      ],
    ] as const) {
      const stderr = why.map((line) => `nspin: ${line}\n`).join("");
      expect(await on("", [...prefix, ...run(entry, program)])).toMatchObject({ status, stdout: "", stderr });
    }
  });
  test.each([
    [["run", "--none"], 125, /^$/, /^nspin: unknown option "--none"\n/],
    [["run", "--bind", "/none:/mnt/etc/link", "true"], 125, /^$/, /^nspin: cannot open \/none: No such file/],
    [["run", ...link, "--dry-run", "--steps", "true"], 0, /^ 1\. run on the thread-group leader\n/, /^$/],
    [
      ["run", ...link, "-v", "--steps", "--enter", "setns", "true"],
      0,
      /^$/,
      /^nspin: +1\. run on the thread-group leader\n/,
    ],
    [["run", "--help"], 0, /^Usage: nspin run /, /^$/],
    [["run", "--netns", "none", "-v", "-h", "true"], 0, /^Usage: nspin run /, /^$/],
    [["--version"], 0, /^nspin \d/, /^$/],
  ] as const)("%j", async (words, status, stdout, stderr) => {
    const seen = await on("", [...prefix, NSPIN, ...words]);
    expect(seen).toMatchObject({
      status,
      stdout: expect.stringMatching(stdout),
      stderr: expect.stringMatching(stderr),
    });
  });
});

// --- a seccomp filter of an older container runtime ---

const onePin = {
  status: 0,
  stdout: expect.stringMatching(/^task\n\d+a\d+\n> [^\n]* \/mnt\/etc\/link (?!.*shared:)[^\n]*\n$/),
  stderr: "",
};
const refused = (method: string, hint: string) => ({
  status: 125,
  stdout: "",
  stderr:
    `nspin: cannot use method ${method} on /mnt/etc/link: Operation not supported (EOPNOTSUPP)\n` +
    `nspin: hint: ${hint}\n`,
});
const filtered =
  "move_mount(2) is refused, by a seccomp filter for one (systemd's SystemCallFilter=); --method pin does without";
const old = "the kernel cannot rejoin a peer group (Linux 5.15); pin works on any";
test.each([
  ["ENOSYS", "auto", onePin],
  ["ENOSYS", "rejoin", refused("rejoin", old)],
  ["ENOSYS", "pin", onePin],
  ["EPERM", "auto", refused("auto", filtered)], // a refusal is no absence: nothing is pinned unasked
  ["EPERM", "rejoin", refused("rejoin", filtered)],
  ["EPERM", "pin", onePin],
])("the new mount calls refused with %s, --method %s", async (error, method, expected) => {
  const refuse = `inject=move_mount,open_tree,mount_setattr:error=${error}`;
  const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", refuse];
  expect(await on("", [...strace, NSPIN, "run", ...link, "--method", method, ...cat])).toMatchObject(
    expected,
  );
});

// --- meanwhile: a delay in the launch, and what happens in it ---

/** Holds the launch for a second at its Nth such call, and acts in the middle of that. */
async function meanwhile(call: string, words: string[], act: () => unknown) {
  const strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `inject=${call}:delay_enter=1000000`];
  const launch = start([...strace, NSPIN, "run", ...words]);
  await Bun.sleep(500);
  await act();
  return await launch;
}

// It was opened before: the name is not looked up again.
test.each([
  ["setns", "ip netns del gone"],
  ["nsenter", "ip netns del gone"],
  ["setns", "umount -l /run/netns/gone"],
  ["nsenter", "umount -l /run/netns/gone"],
])("--enter %s, meanwhile: %s", async (mode, command) => {
  await $`ip netns add gone`;
  const netns = `net:[${(await $`stat -Lc %i /run/netns/gone`.text()).trim()}]\n`;
  const words = ["--netns", "gone", "--bind", "/etc/hosts:/etc/hostname", "--no-etc", "--enter", mode];
  const seen = await meanwhile("unshare:when=1", [...words, "readlink", "/proc/self/ns/net"], () =>
    $`sh -c ${command}`.quiet(),
  );
  expect(seen).toMatchObject({ status: 0, stdout: netns, stderr: "" });
  await $`rm -f /run/netns/gone; umount /etc/hostname`.nothrow().quiet();
});

test.each([
  ["before it is looked at", "capget:when=1", "--no-keep", "new\n"],
  ["after: looked at again", "unshare:when=1", "--no-keep", "new\n"],
  ["just before it is bound: looked at again", "mount:when=2", "--no-keep", "new\n"],
  ["last", "setns:when=1", "--no-keep", "old\n"],
  ["last, and a keeper follows it", "setns:when=1", "--keep", "new\n"],
])("the source is replaced by rename: %s", async (_, call, keep, stdout) => {
  const directory = mkdtempSync("/tmp/nspin-renamed-");
  const [source, more] = [`${directory}/task`, `${directory}/more`];
  writeFileSync(source, "old\n");
  writeFileSync(more, "new\n");
  await $`mkdir ${directory}/host && mount -t tmpfs stage ${directory}/host`.quiet();
  await $`mount --make-shared ${directory}/host && ln -s ../task ${directory}/host/link`.quiet();
  await $`ip netns add renamed`;
  const words = ["--netns", "renamed", "--no-etc", keep, "--bind", `${source}:${directory}/host/link`];
  const program = ["--enter", "setns", "cat", `${directory}/host/link`];
  const seen = await meanwhile(call, [...words, ...program], () => renameSync(more, source));
  expect(seen).toMatchObject({ status: 0, stdout, stderr: "" });
  await $`ip netns del renamed && umount ${directory}/host`;
});

test("the mount that is being looked at is unmounted: looked at again, and / stays as it is", async () => {
  // Its statx(2) of the mount's id, under the lock: five come before that.
  const script = `
    ${NSPIN} bake --method pin --bind /mnt/task:/mnt/etc/plain -o /mnt/pin && /mnt/pin true || exit 99
    strace -qq -o /dev/null -e inject=statx:delay_exit=3000000:when=6 /mnt/pin cat /mnt/etc/plain &
    sleep 1.5; umount -l /mnt/etc/plain; wait $!; echo $?
    grep -c '^[0-9]* [0-9]* [^ ]* / / .* shared:' /proc/self/mountinfo`;
  const seen = await on("", ["sh", "-c", script]);
  expect(seen.stdout).toMatch(/^task\n0\n1\n\d+a\d+\n> [^\n]* \/mnt\/etc\/plain [^\n]*\n$/); // pinned anew
  expect(seen.stderr).toBe("");
});

// --- long lists, byte for byte ---

const megabyte = Array.from({ length: 10 }, (_, i) => String(i).repeat(100_000));
const many = Array.from({ length: 50_000 }, (_, i) => `word ${i}`);
test.each([
  ["1 MB of arguments", megabyte, {}],
  ["50,000 arguments", many, {}],
  ["1 MB of environment", [], Object.fromEntries(megabyte.map((value, i) => [`LONG_${i}`, value]))],
])("%s", async (_, words, env) => {
  const program = ["sh", "-c", 'printf "%s\\n" "$@" | md5sum; env -0 | md5sum', "sh", ...words];
  const direct = await on("", program, env);
  expect(direct.stdout).toMatch(/^[0-9a-f]{32} {2}-\n[0-9a-f]{32} {2}-\n$/);
  for (const entry of entries) {
    const { status, stdout, stderr } = await on("", run(entry, ...program), env);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: direct.stdout, stderr: "" });
  }
});
