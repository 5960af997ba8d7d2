// What is refused or left out, by which status, line and hint; and that nsenter,
// setns and a launcher say the same.
import { describe, expect, test } from "bun:test";
import { NSPIN } from "../kit/nspin.ts";
import { compile } from "./compile.ts";
import { enterBy, entries, start, without } from "./start.ts";

/** A host of its own, with its process 1: /etc shared, resolv.conf a link; a named network namespace. */
const host = `
mount --make-rshared / && mount -t tmpfs run /run && mkdir /run/netns || exit 99
mount -t tmpfs stage /mnt && mkdir /mnt/etc && cp /etc/passwd /etc/group /etc/nsswitch.conf /mnt/etc || exit 99
mount --bind /mnt/etc /etc && mount --make-shared /etc && mkdir -p /etc/netns/task || exit 99
echo host >/run/resolv.conf && ln -s /run/resolv.conf /etc/resolv.conf && echo plain >/mnt/plain || exit 99
echo task | tee /mnt/task >/etc/netns/task/resolv.conf && ip netns add task || exit 99
`;
const watch = `
sed s/,nsdelegate// /proc/self/mountinfo >/mnt/before
"$@"
status=$?
sed s/,nsdelegate// /proc/self/mountinfo >/mnt/after
diff /mnt/before /mnt/after || echo changed
exit $status
`;
const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
function on(setup: string, command: readonly string[]) {
  return start([...own, "sh", "-c", `${host}${setup}\n${watch}`, "sh", ...command]);
}

const SECCOMP =
  "a seccomp filter is at work, and can be what refuses this: systemd's SystemCallFilter= and RestrictNamespaces=, a container's profile";
const calls = { mount: 165, umount2: 166, unshare: 272, setns: 308, statx: 332 };
const newCalls = { open_tree: 428, move_mount: 429, fsopen: 430, mount_setattr: 442 };
const filter = (...numbers: number[]) => [compile("filter"), ...numbers.map(String), "--"];
const task = ["--netns", "task"];
const cat = ["cat", "/etc/resolv.conf"];
const EPERM = "Operation not permitted (EPERM)";
const ENOENT = "No such file or directory (ENOENT)";
const leftOut = (...names: string[]) =>
  names
    .map((name) => `nspin: warning: /etc/netns/task/${name} is left out: there is no /etc/${name}\n`)
    .join("");

interface Row {
  readonly setup?: string;
  readonly prefix?: string[];
  readonly options?: string[];
  readonly program?: string[];
  readonly status?: number;
  readonly stdout?: string;
  /** After "nspin: cannot "; after " | " the hint. */
  readonly says?: string;
  readonly stderr?: string;
  /** By these only, the others have an answer of their own. */
  readonly by?: readonly (typeof entries)[number][];
}

const netnsOf = (kind: string) => `use as a network namespace /run/netns/task: ${kind}`;
const placeholder = netnsOf(
  "Invalid argument (EINVAL) | the name is there, but no network namespace is mounted on it: it was made in another mount namespace, or unmounted since; 'ip netns delete NAME', and add it again",
);
const filtered =
  "use method auto on /etc/resolv.conf: Operation not supported (EOPNOTSUPP) | move_mount(2) is refused, by a seccomp filter for one (systemd's SystemCallFilter=); --method pin does without";
const entering = `enter by nsenter: ${EPERM} | nsenter needs CAP_SYS_CHROOT, and setns(2) of a mount namespace, which systemd's RestrictNamespaces= refuses; --enter setns needs neither`;
const setns = ["setns", "launcher"] as const;
const onlySysAdmin = [
  ...["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"],
  ...["--inh-caps=-all,+sys_admin", "--ambient-caps=-all,+sys_admin", "--bounding-set=-all,+sys_admin"],
];
const script = (directory: string, line: string) =>
  `mkdir -p ${directory}; printf '${line}\\nexit 7\\n' >${directory}/odd; chmod 755 ${directory}/odd`;
const interpreter = "the file is there: what its first line names, after #!, is not";

const rows: Record<string, Row> = {
  "it works": { stdout: "task\n" },
  "a placeholder": { setup: "umount /run/netns/task", says: placeholder },
  "a namespace of another kind on the name": {
    setup: "umount /run/netns/task; mount --bind /proc/self/ns/uts /run/netns/task",
    says: netnsOf(
      "Invalid argument (EINVAL) | it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME",
    ),
  },
  "a dangling link": {
    setup: "umount /run/netns/task; ln -sf /proc/4194303/ns/net /run/netns/task",
    says: `open network namespace /run/netns/task: ${ENOENT} | it is a symbolic link that leads nowhere: the process that it led to has ended`,
  },
  "a network namespace of another user namespace": {
    prefix: ["unshare", "-Urm", "--propagation", "unchanged"],
    says: netnsOf(
      `${EPERM} | it belongs to another user namespace, in which this process has no privilege (systemd's PrivateUsers=)`,
    ),
  },
  "setns and unshare refused": {
    prefix: filter(calls.unshare, calls.setns),
    by: setns,
    says: `unshare the mount namespace: ${EPERM} | ${SECCOMP}`,
  },
  "setns and unshare refused, nsenter asked for": {
    prefix: filter(calls.unshare, calls.setns),
    by: ["nsenter"],
    says: entering,
  },
  "every mount call refused": {
    prefix: filter(calls.mount, calls.umount2, ...Object.values(newCalls)),
    says: filtered,
  },
  "mount(2) alone refused": {
    prefix: filter(calls.mount),
    says: `make a slave of the mount that holds /etc/resolv.conf: ${EPERM} | ${SECCOMP}`,
  },
  "move_mount alone refused: never a pin": { prefix: filter(newCalls.move_mount), says: filtered },
  "statx refused: it works": { prefix: filter(calls.statx), stdout: "task\n" },
  "statx, open_tree and mount_setattr refused: it works": {
    prefix: filter(calls.statx, newCalls.open_tree, newCalls.mount_setattr),
    stdout: "task\n",
    stderr: "nspin: warning: no keeper, as by --no-keep: a seccomp filter refuses what it needs\n",
  },
  "without CAP_SYS_CHROOT": {
    prefix: without("sys_chroot"),
    by: setns,
    stdout: "task\n",
  },
  "without CAP_SYS_CHROOT, nsenter asked for": {
    prefix: without("sys_chroot"),
    by: ["nsenter"],
    says: entering,
  },
  "ambient CAP_SYS_ADMIN only": { prefix: onlySysAdmin, by: setns, stdout: "task\n" },
  "ambient CAP_SYS_ADMIN only, nsenter asked for": { prefix: onlySysAdmin, by: ["nsenter"], says: entering },
  "entries of others, left out": {
    setup: "cd /etc/netns/task; mkdir .git; echo >.resolv.conf.swp; echo >openvpn.log; cd /",
    stdout: "task\n",
    stderr: "left out",
  },
  "a dangling entry without a namesake, left out": {
    setup: "ln -s /none /etc/netns/task/dangling",
    stdout: "task\n",
    stderr: leftOut("dangling"),
  },
  "an entry of others, --strict": {
    setup: "echo >/etc/netns/task/openvpn.log",
    options: [...task, "--strict"],
    says: `open /etc/openvpn.log: ${ENOENT} | each entry of /etc/netns/ID covers its namesake in /etc, which must exist`,
  },
  "a host without resolv.conf": { setup: "rm /etc/resolv.conf", stdout: "task\n" },
  "resolv.conf is never left out": {
    setup: "rm /etc/resolv.conf",
    options: [...task, "--method", "rejoin"],
    says: `open /etc/resolv.conf: ${ENOENT} | each entry of /etc/netns/ID covers its namesake in /etc, which must exist`,
  },
  "a missing interpreter": {
    setup: script("/run/bin", "#!/none/sh"),
    program: ["/run/bin/odd"],
    status: 127,
    says: `find /run/bin/odd: ${ENOENT} | ${interpreter}`,
  },
  "a missing interpreter, and the next of PATH": {
    setup: `${script("/run/bin", "#!/none/sh")}; ${script("/run/next", "#!/bin/sh")}; PATH=/run/bin:/run/next:$PATH`,
    program: ["odd"],
    status: 7,
  },
  "a program that only the covers have": {
    setup: `mkdir /mnt/old; ${script("/mnt/new", "#!/bin/sh")}`,
    options: [...task, "--no-etc", "--bind", "/mnt/new:/mnt/old"],
    program: ["/mnt/old/odd"],
    status: 7,
  },
  "a program that only the host has": {
    setup: `mkdir /mnt/new; ${script("/mnt/old", "#!/bin/sh")}`,
    options: [...task, "--no-etc", "--bind", "/mnt/new:/mnt/old"],
    program: ["/mnt/old/odd"],
    status: 127,
    says: `find /mnt/old/odd: ${ENOENT}`,
  },
  "an escaped colon": {
    setup: "echo colon >/mnt/a:b; echo >/mnt/c:d",
    options: [...task, "--no-etc", "--method", "rejoin", "--bind", "/mnt/a\\:b:/mnt/c\\:d"],
    program: ["cat", "/mnt/c:d"],
    stdout: "colon\n",
  },
  "/proc as target": {
    options: [...task, "--no-etc", "--bind", "/mnt:/proc"],
    says: "lay /mnt over /proc: Device or resource busy (EBUSY) | neither the root directory can be covered, nor /proc",
  },
  "a user's link on the way to the source": {
    setup: "mkdir -m 777 /mnt/user; ln -s /mnt /mnt/user/link; chown -h nobody /mnt/user/link",
    options: [...task, "--no-etc", "--bind", "/mnt/user/link/task:/etc/resolv.conf"],
    says: "open /mnt/user/link/task: Permission denied (EACCES) | a symbolic link on the way can be replaced by somebody else than root: name the path that it leads to",
  },
  "process 1 in another mount namespace": {
    prefix: ["unshare", "--mount", "--propagation", "slave"],
    stdout: "task\n",
    stderr:
      "nspin: warning: / is no peer of the host's (a private or a slave mount namespace, as of systemd's PrivateTmp= or ProtectSystem=): what the program mounts there does not reach the host\n",
  },
};

const all = Object.entries(rows).flatMap(([name, row]) =>
  (row.by ?? entries).map((entry) => [name, entry, row] as const),
);
test.each(all)("%s, by %s", async (_, entry, row) => {
  const { setup = "", prefix = [], options = task, program = cat, says, stdout = "" } = row;
  const seen = await on(setup, [...prefix, ...enterBy(entry, options), ...program]);
  const [line, hint] = says?.split(" | ") ?? [];
  const stderr =
    line === undefined
      ? (row.stderr ?? "")
      : `nspin: cannot ${line}\n${hint === undefined ? "" : `nspin: hint: ${hint}\n`}`;
  const lines = seen.stderr.split("\n").sort().join("\n");
  const expected = stderr === "left out" ? leftOut(".git", ".resolv.conf.swp", "openvpn.log") : stderr;
  expect({ ...seen, stderr: lines }).toMatchObject({
    status: row.status ?? (says === undefined ? 0 : 125),
    stdout,
    stderr: expected.split("\n").sort().join("\n"),
  });
});

describe.each(entries)("the lock, by %s", (entry) => {
  const pin = ["--method", "pin", "--bind", "/mnt/task:/mnt/plain"];
  const held = (lock: string) => `flock ${lock} sleep 2 & sleep 0.5`;
  test("/run is read-only: another is locked", async () => {
    const seen = await on("mount -o remount,ro /run", [...enterBy(entry, pin), "cat", "/mnt/plain"]);
    expect(seen).toMatchObject({ status: 0, stderr: "" });
    expect(seen.stdout).toMatch(/^task\n\d+a\d+\n> [^\n]* \/mnt\/plain [^\n]*\nchanged\n$/);
  });
  test.each([
    ["/run/nspin.lock", "touch /run/nspin.lock"],
    ["/proc/self/ns/mnt", "mount -o remount,ro /run"],
  ])("%s is held by another, and it says so", async (lock, setup) => {
    const seen = await on(`${setup}; ${held(lock)}`, [...enterBy(entry, pin), "cat", "/mnt/plain"]);
    expect(seen).toMatchObject({ status: 0, stdout: expect.stringMatching(/^task\n/) });
    expect(seen.stderr).toMatch(
      new RegExp(`^nspin: waiting for the lock on ${lock}, which process \\d+ holds\n$`),
    );
  });
});

describe("what cannot be written to stdout", () => {
  const dry = ["run", ...task, "--dry-run", "--json", "true"];
  const words = [
    ["--version"],
    ["--help"],
    ["run", "--help"],
    ["check", "--json", "-h"],
    dry,
    ["inspect", "/mnt/launcher"],
  ];
  const setup = `${NSPIN} bake --netns task -o /mnt/launcher`;
  test.each(words)("%s: a full disk", async (...words) => {
    const seen = await on(setup, ["sh", "-c", 'exec "$@" >/dev/full', "sh", NSPIN, ...words]);
    expect(seen).toMatchObject({ status: 125, stdout: "" });
    expect(seen.stderr).toBe("nspin: cannot write to stdout: No space left on device (ENOSPC)\n");
  });
  test.each(words)("%s: a reader that has gone", async (...words) => {
    const closed = 'mkfifo /mnt/pipe; exec 3<>/mnt/pipe 4>/mnt/pipe 3<&-; exec "$@" >&4 4>&-';
    const seen = await on(setup, ["sh", "-c", closed, "sh", NSPIN, ...words]);
    expect(seen).toMatchObject({ status: 125, stdout: "", stderr: "" });
  });
  test.each([[["--help"]], [["run", "--help"]], [["--version"]]])(
    "%j leaves O_NONBLOCK alone",
    async (words) => {
      const writers = '{ "$@"; head -c 300000 /dev/zero; } | { sleep 0.5; tr -cd "\\0" | wc -c; }';
      expect(await start(["sh", "-c", writers, "sh", NSPIN, ...words])).toMatchObject({
        status: 0,
        stdout: "300000\n",
        stderr: "",
      });
    },
  );
});
