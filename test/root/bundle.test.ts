// nspin bundle, by the runtimes themselves: what the program gets, what reaches
// the host, and that a bundle made carelessly does cover the host's file.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { $ } from "bun";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { LOOP, Program } from "../kit/program.ts";
import { until } from "../kit/until.ts";
import { faults } from "./oci-schema.ts";
import { nspin, start } from "./start.ts";

const ID = "bundled";
const RESOLVED = "/run/systemd/resolve/stub-resolv.conf";
const HOST = "nameserver 192.0.2.53\n";
const TASK = "nameserver 10.0.0.2\n";
const SHARE = "/run/share/snapshots";
const PLAIN = "/etc/plain/plain.conf";
const SHIM = "/run/plain.conf";

beforeAll(async () => {
  await ownResolvConf(RESOLVED);
  await $`mkdir -p /run/share /run/other /run/host /etc/plain /etc/netns/${ID}`;
  await $`mount -t tmpfs share /run/share && ip netns add ${ID}`;
  for (const name of ["program", "host"]) mkdirSync(`${SHARE}/${name}`, { recursive: true });
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, TASK);
  writeFileSync(RESOLVED, HOST);
  writeFileSync(PLAIN, "host\n");
  writeFileSync(SHIM, "task\n");
});
afterAll(async () => {
  await $`umount -l /etc /run && rm -r ${bundles}`;
});

const bundles: string[] = [];
function fresh(): string {
  const directory = `/dev/shm/nspin-${bundles.length}`;
  bundles.push(directory);
  return directory;
}
async function make(...words: string[]): Promise<string> {
  const directory = fresh();
  expect(await nspin(["bundle", directory, ...words])).toMatchObject({ status: 0, stdout: "", stderr: "" });
  return directory;
}
let runs = 0;
const run = (runtime: string, directory: string) => [runtime, "run", "--bundle", directory, `n${runs++}`];
/** The words that Program adds are in the bundle already: this shell drops them. */
const started = (...of: [string, string]) => new Program(["sh", "-c", `exec ${run(...of).join(" ")}`]);
/** As systemd-resolved replaces its file. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
const hostFile = () => readFileSync("/etc/resolv.conf", "utf8");
const config = (directory: string) => readFileSync(`${directory}/config.json`, "utf8");
const pointsOf = (lines: readonly string[]) => lines.map((line) => line.split(" ")[4] as string);
/** What is mounted on the host that was not. */
const added = (before: readonly string[]) => pointsOf(mountTable().filter((line) => !before.includes(line)));

describe.each(["runc", "crun"])("%s", (runtime) => {
  test("the program gets what a process of the host does, and its own network and file", async () => {
    const script = `
      printf '%s|' "$@" && env | sort && pwd && cat && stat -Lc %i /proc/self/ns/net
      for kind in pid ipc uts user cgroup; do readlink /proc/self/ns/$kind; done
      grep -E '^(Cap...|NoNewPrivs|Seccomp|Groups|Umask):' /proc/self/status
      ls / /dev /proc/sys /sys/fs/cgroup
      dd if=/dev/kmsg of=/dev/null count=0 2>/dev/null; echo $?`;
    const words = ["a  b", "", "\u00e9\t\n'\"\\\u{1f4cc}", "--", "$HOME"];
    const variables = ["ODD==2\n\u00e9", "GIVEN=from nspin"];
    const command = ["sh", "-c", `${script}\ncat /etc/resolv.conf; exit 77`, "sh", ...words];
    const stdin = (inner: string[]) => ["sh", "-c", 'echo stdin | "$@"', "sh", ...inner];

    const directory = fresh();
    const env = ["--env", "ODD=1", "--env", "GIVEN", "--env", variables[0] as string];
    const made = await start(
      [NSPIN, "bundle", directory, "--netns", ID, ...env, "--cwd", "/run/other", "--", ...command],
      { env: { GIVEN: "from nspin", LOST: "1" } },
    );
    expect(made).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const dev = readdirSync("/dev").sort();
    const seen = await start(stdin(run(runtime, directory)));

    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const bare = ["env", "-i", path, "HOME=/root", ...variables];
    const direct = await start(stdin(["nsenter", `--net=/run/netns/${ID}`, ...bare, ...command]), {
      cwd: "/run/other",
    });
    expect(direct.stdout).toEndWith(HOST);
    expect(seen).toEqual({ ...direct, pid: seen.pid, stdout: direct.stdout.slice(0, -HOST.length) + TASK });
    expect(seen.status).toBe(77);
    expect(seen.stdout).toContain(`\n${statSync(`/run/netns/${ID}`).ino}\n`);
    expect(readdirSync("/dev").sort()).toEqual(dev);
  });

  test("mounts below --share reach the host, no others do; the host's reach the program", async () => {
    const before = mountTable();
    const directory = await make("--netns", ID, "--share", SHARE, ...LOOP);
    const program = started(runtime, directory);
    expect(await program.run("cat /etc/resolv.conf")).toBe(TASK.trim());
    expect(mountTable()).toEqual(before);

    // On the cover too, which must not be a peer of the host's file in /etc/netns.
    await program.run(
      `mount --bind ${SHIM} /etc/resolv.conf && mount -t tmpfs probe ${SHARE}/program && mount -t tmpfs probe /run/other && mount -t tmpfs probe /mnt`,
    );
    expect(added(before)).toEqual([`${SHARE}/program`]);
    await $`umount ${SHARE}/program`;
    const seen = async (source: string) =>
      pointsOf((await program.run(`grep ' - tmpfs ${source} ' /proc/self/mountinfo`)).split("\n"));
    expect(await seen("probe")).toEqual(["/run/other", "/mnt"]);

    for (const point of ["/run/host", `${SHARE}/host`, "/opt"]) {
      await $`mount -t tmpfs host ${point}`;
      expect(await seen("host")).toContain(point);
      await $`umount ${point}`;
      expect(await seen("host")).not.toContain(point);
    }
    expect(hostFile()).toBe(HOST);
    expect(await program.end()).toBe(0);
    expect(mountTable()).toEqual(before);
    expect(hostFile()).toBe(HOST);
  });

  test("without --share nothing that the program mounts reaches the host", async () => {
    const before = mountTable();
    const mount = `mount -t tmpfs probe ${SHARE}/program && mount -t tmpfs probe /run/other`;
    const directory = await make("--netns", ID, "--", "sh", "-c", `${mount} && cat /proc/self/mountinfo`);
    const { stdout } = await start(run(runtime, directory));
    expect(pointsOf(stdout.split("\n"))).toContain(`${SHARE}/program`);
    expect(mountTable()).toEqual(before);
  });

  test("with the slaves taken out, the bundle covers the host's file", async () => {
    const directory = await make("--netns", ID, "--share", SHARE, "true");
    const careless = fresh();
    await $`cp -a ${directory} ${careless}`;
    writeFileSync(
      `${careless}/config.json`,
      config(directory)
        .replaceAll(/"r?slave"/g, '"nodiratime"')
        .replaceAll(directory, careless),
    );
    // In a host of its own: what is left there goes with it.
    const own = 'mount --make-rshared / && "$@" && cat /etc/resolv.conf';
    const inOwn = (bundle: string) =>
      start([
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        own,
        "sh",
        ...run(runtime, bundle),
      ]);
    expect(await inOwn(careless)).toMatchObject({ status: 0, stdout: TASK });
    expect(await inOwn(directory)).toMatchObject({ status: 0, stdout: HOST });
  });

  test.each([
    ["what a symbolic link leads to", "auto", "/etc/resolv.conf", RESOLVED, "kept"],
    ["a plain file", "auto", PLAIN, PLAIN, "lost"],
    ["a plain file", "overlay", PLAIN, PLAIN, "kept"],
  ])("the host renames a new file over %s, --method %s", async (_, method, target, file, outcome) => {
    const old = readFileSync(file, "utf8");
    const directory = fresh();
    const words = ["bundle", directory, "--bind", `${SHIM}:${target}`, "--method", method, "--read-only"];
    const { stderr } = await nspin([...words, ...LOOP]);
    expect(stderr).toBe(
      outcome === "lost"
        ? `nspin: note: ${target} is covered until the host replaces it; --method overlay keeps the cover\n`
        : "",
    );
    const program = started(runtime, directory);
    expect(await program.run(`cat ${target}`)).toBe("task");
    expect(await program.run(`echo > ${target}`)).toContain("Read-only file system");
    replace(file, "the host's new one\n");
    expect(readFileSync(target, "utf8")).toBe("the host's new one\n");
    expect(await program.run(`cat ${target}`)).toBe(outcome === "kept" ? "task" : "the host's new one");
    expect(await program.end()).toBe(0);
    replace(file, old);
  });
});

test("where a link led, the program reaches no socket, and it follows the link that replaces it", async () => {
  const socket = `${RESOLVED.slice(0, RESOLVED.lastIndexOf("/"))}/io.systemd.Resolve`;
  const server = Bun.listen({ unix: socket, socket: { data() {} } });
  const connecting =
    'Bun.connect({ unix: process.argv[1], socket: { data() {} } }).then(() => "connected", (e) => e.code)';
  const connect = [process.execPath, "-e", `console.log(await ${connecting}); process.exit()`, socket];
  expect(await start(connect)).toMatchObject({ stdout: "connected\n" });
  const script = '"$@"; ln -sfn /run/other.conf /etc/resolv.conf; cat /etc/resolv.conf';
  const directory = await make("--netns", ID, "sh", "-c", script, "sh", ...connect);
  writeFileSync("/run/other.conf", "another\n");
  expect(await start(run("runc", directory))).toMatchObject({ stdout: "ECONNREFUSED\nanother\n", status: 0 });
  server.stop(true);
  await $`ln -sfn ..${RESOLVED} /etc/resolv.conf`;
});

describe("config.json, by the OCI runtime specification's own schema", () => {
  const most = [
    "--share",
    SHARE,
    "--env",
    "A=b",
    "--cwd",
    "/run",
    "--bind",
    `${SHIM}:${PLAIN}`,
    "--read-only",
  ];
  test.each([
    ["with all there is", ["--netns", ID, ...most, "--method", "overlay", "true"]],
    ["with the least", ["--bind", `${SHIM}:${PLAIN}`, "true"]],
  ])("%s, is valid", async (_, words) => {
    const directory = fresh();
    expect(await nspin(["bundle", directory, ...words])).toMatchObject({ status: 0 });
    expect(faults(JSON.parse(config(directory)))).toEqual([]);
  });

  test("what is not valid is found, in each file of the schema", async () => {
    const good = JSON.parse(config(await make("--netns", ID, "true")));
    const bad: [string, (copy: typeof good) => void][] = [
      ["#/ociVersion", (copy) => delete copy.ociVersion], // config-schema.json
      ["#/process/args", (copy) => (copy.process.args = "true")], // defs.json
      ["#/linux/rootfsPropagation", (copy) => (copy.linux.rootfsPropagation = "peers")], // defs-linux.json
      ["#/linux/resources/devices", (copy) => (copy.linux.resources.devices[0].allow = 1)],
    ];
    for (const [where, spoil] of bad) {
      const copy = structuredClone(good);
      spoil(copy);
      expect([where, faults(copy).length > 0]).toEqual([where, true]);
    }
  });
});

test("the bundle is readable whatever the umask, and nothing else is written", async () => {
  const directory = fresh();
  await start(["sh", "-c", 'umask 077 && "$@"', "sh", NSPIN, "bundle", directory, "--netns", ID, "true"]);
  const mode = (name: string) => (statSync(`${directory}${name}`).mode & 0o7777).toString(8);
  expect([mode(""), mode("/config.json"), mode("/rootfs"), mode("/overlay/0")]).toEqual([
    "755",
    "644",
    "755",
    "755",
  ]);
  expect(readdirSync(directory).sort()).toEqual(["config.json", "overlay", "rootfs"]);
});

describe("refused, and nothing is written:", () => {
  const here = "/dev/shm/nspin-refused";
  const task = ["--netns", ID];
  const elsewhere = "for example below /dev/shm";
  beforeAll(async () => {
    await $`mkdir -p /dev/shm/nspin-full/x /dev/shm/nspin-shared /run/private/mount /run/share/outer/inner && touch /run/private/file`;
    await $`mount -t tmpfs private /run/private/mount && mount --make-private /run/private/mount`;
  });
  afterAll(() =>
    $`umount /run/private/mount && rm -r /dev/shm/nspin-full /dev/shm/nspin-shared`.then(() => {}),
  );

  const cases: [string, string[], string, string?][] = [
    [
      "no directory",
      [...task, "true"],
      "bundle takes DIR first",
      "usage: nspin bundle DIR --netns ID [OPTIONS] [--] PROGRAM [ARG...]",
    ],
    [
      "no program",
      [here, ...task],
      "no program given",
      "usage: nspin bundle DIR --netns ID [OPTIONS] [--] PROGRAM [ARG...]",
    ],
    [
      "a directory with something in it",
      ["/dev/shm/nspin-full", ...task, "true"],
      "cannot write a bundle into /dev/shm/nspin-full: Directory not empty (ENOTEMPTY)",
      "name another directory, or remove this one first",
    ],
    [
      "a directory in none",
      ["/dev/shm/nspin-none/x", ...task, "true"],
      "cannot open /dev/shm/nspin-none: No such file or directory (ENOENT)",
    ],
    [
      "a directory on the mount that others are on",
      ["/run/other/bundle", ...task, "true"],
      "cannot put a bundle into /run/other/bundle: the runtime cuts the mount that holds it off from the host's, and there are others on it, such as /run/share",
      `name a directory on a mount of its own on which the host mounts nothing, ${elsewhere}`,
    ],
    [
      "a share on the bundle's mount",
      [here, ...task, "--share", "/dev/shm/nspin-shared", "true"],
      "cannot share /dev/shm/nspin-shared: the bundle is on the same mount, /dev/shm, which the runtime cuts off from the host's",
      `put the bundle elsewhere, ${elsewhere}`,
    ],
    [
      "a share with the bundle in it",
      [`${SHARE}/bundle`, ...task, "--share", SHARE, "true"],
      `cannot share ${SHARE}: the bundle is in it`,
      "put the bundle elsewhere",
    ],
    [
      "a share in a mount that is not shared",
      [here, ...task, "--share", "/run/private/mount", "true"],
      "cannot share /run/private/mount: the mount that holds it, /run/private/mount, is not shared: nothing can reach the host",
      "'mount --make-shared /run/private/mount' on the host; systemd does it for /",
    ],
    [
      "a share with a cover in it",
      [here, ...task, "--share", "/run/systemd", "true"],
      `cannot share /run/systemd: ${RESOLVED} is covered: one would hide the other`,
    ],
    [
      "a share in a cover",
      [here, ...task, "--bind", "/run/private:/run/share/outer", "--share", "/run/share/outer/inner", "true"],
      "cannot share /run/share/outer/inner: /run/share/outer is covered: one would hide the other",
    ],
    ...["/etc", "/run", "/"].map((path): [string, string[], string, string] => [
      `a share that is ${path}`,
      [here, "--netns", ID, "--no-etc", "--share", path, "true"],
      `cannot share ${path}: what a runtime may itself mount in ${path === "/etc" ? "/etc" : "/run/notify"} would land on the host`,
      "share a directory that only the program mounts in",
    ]),
    [
      "a share in a share",
      [here, ...task, "--share", "/run/share/outer", "--share", "/run/share/outer/inner", "true"],
      "cannot share /run/share/outer/inner: /run/share/outer is shared, and its mount would land on the host",
      "share the outer one only",
    ],
    [
      "a netns without a directory in /etc/netns",
      [here, "--netns", "nowhere", "true"],
      "cannot find /etc/netns/nowhere/resolv.conf: No such file or directory (ENOENT)",
      "create it, name another with --bind FILE:/etc/resolv.conf, or keep the host's with --no-etc",
    ],
    [
      "a share that is a file",
      [here, ...task, "--share", SHIM, "true"],
      `cannot share ${SHIM}: Not a directory (ENOTDIR)`,
    ],
    [
      "a share that is not there",
      [here, ...task, "--share", "/run/nowhere", "true"],
      "cannot share /run/nowhere: No such file or directory (ENOENT)",
      "create it first",
    ],
    [
      "a share without a /",
      [here, ...task, "--share", "run", "true"],
      'option --share needs an absolute path, not "run"',
      "try 'nspin --help', or 'nspin COMMAND --help'",
    ],
    [
      "a missing cwd, which the runtime would make on the host",
      [here, ...task, "--cwd", "/run/nowhere", "true"],
      "cannot use as working directory /run/nowhere: No such file or directory (ENOENT)",
    ],
    [
      "a variable that is not set",
      [here, ...task, "--env", "NOWHERE", "true"],
      'environment variable "NOWHERE" is not set',
      "set it, or give --env NAME=VALUE",
    ],
    [
      "one file by two names",
      [here, "--bind", `${SHIM}:${RESOLVED}`, "--bind", `${SHIM}:/etc/resolv.conf`, "true"],
      `cannot lay ${SHIM} over ${RESOLVED}: File exists (EEXIST)`,
      "another cover is on it, or within it, or around it",
    ],
    [
      "a file over a directory",
      [here, "--bind", `${SHIM}:/run/other`, "true"],
      `cannot lay ${SHIM} over /run/other: Not a directory (ENOTDIR)`,
      "a file covers a file, a directory covers a directory",
    ],
    [
      "a target that the runtime would make",
      [here, "--bind", `${SHIM}:/run/nowhere`, "true"],
      "cannot open /run/nowhere: No such file or directory (ENOENT)",
      "only what exists can be covered: create it first",
    ],
    [
      "an overlay that would hide a mount",
      [here, "--method", "overlay", "--bind", `${SHIM}:/run/private/file`, "true"],
      "cannot lay an overlay on /run/private: it would hide /run/private/mount",
    ],
  ];

  test.each(cases.map(([name, ...rest]) => [name, rest] as const))(
    "%s",
    async (_, [words, message, hint]) => {
      const before = [readdirSync("/dev/shm"), readdirSync("/run"), mountTable()];
      const stderr = `nspin: ${message}\n${hint === undefined ? "" : `nspin: hint: ${hint}\n`}`;
      expect(await nspin(["bundle", ...words])).toMatchObject({ status: 125, stdout: "", stderr });
      expect([readdirSync("/dev/shm"), readdirSync("/run"), mountTable()]).toEqual(before);
    },
  );

  test("no room: what was written goes", async () => {
    await $`mkdir /run/small && mount -t tmpfs -o nr_inodes=6 small /run/small`;
    expect(await nspin(["bundle", "/run/small/bundle", ...task, "true"])).toMatchObject({
      status: 125,
      stderr: "nspin: cannot write /run/small/bundle: No space left on device (ENOSPC)\n",
    });
    expect(readdirSync("/run/small")).toEqual([]);
    await $`umount /run/small && rmdir /run/small`;
  });

  test.each([
    ["another's", 65534, 0o755],
    ["one that all can write", 0, 0o1777],
  ])("an empty directory, but %s", async (_, uid, mode) => {
    mkdirSync(here);
    chownSync(here, uid, uid);
    chmodSync(here, mode);
    expect(await nspin(["bundle", here, ...task, "true"])).toMatchObject({
      status: 125,
      stderr: `nspin: cannot write a bundle into ${here}: others can write in it\nnspin: hint: name another directory, or remove this one first\n`,
    });
    expect([readdirSync(here), statSync(here).uid]).toEqual([[], uid]);
    rmdirSync(here);
  });

  test("a link, though it leads to an empty directory", async () => {
    symlinkSync("/dev/shm/nspin-shared", here);
    expect(await nspin(["bundle", here, ...task, "true"])).toMatchObject({
      status: 125,
      stderr: `nspin: cannot make ${here}: Not a directory (ENOTDIR)\n`,
    });
    expect(readdirSync("/dev/shm/nspin-shared")).toEqual([]);
    rmSync(here);
  });

  test("what somebody puts into it meanwhile stays, and what was written goes", async () => {
    mkdirSync(here);
    const slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=?link,linkat:delay_enter=1000000"];
    const made = start([...slow, NSPIN, "bundle", here, ...task, "true"]);
    await until(async () => existsSync(`${here}/config.json.new`)); // config.json is a link to it, made last
    writeFileSync(`${here}/config.json`, "precious", { flag: "wx" });
    expect(await made).toMatchObject({
      status: 125,
      stderr: `nspin: cannot write ${here}: File exists (EEXIST)\n`,
    });
    expect(readdirSync(here)).toEqual(["config.json"]);
    expect(readFileSync(`${here}/config.json`, "utf8")).toBe("precious");
    rmSync(here, { recursive: true });
  });

  test("bytes that JSON cannot hold", async () => {
    const shell = ["sh", "-c", `"$0" bundle ${here} --netns ${ID} printf "$(printf '\\377')"`, NSPIN];
    const stderr = "nspin: cannot write an argument that is not UTF-8: JSON cannot hold it\n";
    expect(await start(shell)).toMatchObject({ status: 125, stderr });
  });
});
