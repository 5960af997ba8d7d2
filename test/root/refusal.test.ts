// Bad input: one clear line, status 125, nothing mounted, started or left behind.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { files } from "./hello-and-world.ts";
import { nspin, start, without } from "./start.ts";

const { directory, hello, world } = files();
const netnsHint = "nspin: hint: give a name under /run/netns, an absolute path, or pid:N\n";
const kindsHint = "nspin: hint: a file covers a file, a directory covers a directory\n";

beforeAll(async () => {
  await $`ip netns add refused`;
  writeFileSync("/run/netns/plain", "text");
  writeFileSync("/run/netns/placeholder", "");
  mkdirSync("/etc/netns/odd", { recursive: true });
  writeFileSync("/etc/netns/odd/resolv.conf", "");
  writeFileSync("/etc/netns/odd/no-namesake", "");
  writeFileSync("/etc/netns/file", "");
  await $`ip netns add odd && ip netns add file`;
});
afterAll(() => {
  rmSync("/etc/netns/odd", { recursive: true });
  rmSync("/etc/netns/file");
});

const cases: [string, string[], string][] = [
  [
    "no such netns",
    ["--netns", "nope", "--no-etc", "touch", `${directory}/started`],
    "nspin: cannot open network namespace /run/netns/nope: No such file or directory (ENOENT)\n" +
      "nspin: hint: 'ip netns list' shows the network namespaces that have a name\n",
  ],
  [
    "a name without its namespace",
    ["--netns", "placeholder", "--no-etc", "touch", `${directory}/started`],
    "nspin: cannot use as a network namespace /run/netns/placeholder: Invalid argument (EINVAL)\n" +
      "nspin: hint: the name is there, but no network namespace is mounted on it: it was made in another mount namespace, or unmounted since; 'ip netns delete NAME', and add it again\n",
  ],
  [
    "a file that is no netns",
    ["--netns", "plain", "--no-etc", "touch", `${directory}/started`],
    "nspin: cannot use as a network namespace /run/netns/plain: Invalid argument (EINVAL)\n" +
      "nspin: hint: it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME\n",
  ],
  [
    "a namespace of another kind",
    ["--netns", "/proc/self/ns/mnt", "--no-etc", "touch", `${directory}/started`],
    "nspin: cannot use as a network namespace /proc/self/ns/mnt: Invalid argument (EINVAL)\n" +
      "nspin: hint: it is a file of another kind: 'ip netns add NAME' makes /run/netns/NAME\n",
  ],
  [
    "a slash",
    ["--netns", "a/b", "p"],
    `nspin: cannot use network namespace "a/b": a name has no "/"\n${netnsHint}`,
  ],
  [
    "..",
    ["--netns", "..", "p"],
    `nspin: cannot use network namespace "..": it is a directory's name\n${netnsHint}`,
  ],
  [
    "a newline",
    ["--netns", "a\nb", "p"],
    `nspin: cannot use network namespace "a\\nb": a newline or NUL is in the name\n${netnsHint}`,
  ],
  [
    "an empty name",
    ["--netns", "", "p"],
    `nspin: cannot use network namespace "": the name is empty\n${netnsHint}`,
  ],
  [
    "no resolv.conf",
    ["--netns", "refused", "touch", `${directory}/started`],
    "nspin: cannot find /etc/netns/refused/resolv.conf: No such file or directory (ENOENT)\n" +
      "nspin: hint: create it, name another with --bind FILE:/etc/resolv.conf, or keep the host's with --no-etc\n",
  ],
  [
    "no namesake",
    ["--netns", "odd", "--strict", "touch", `${directory}/started`],
    "nspin: cannot open /etc/no-namesake: No such file or directory (ENOENT)\n" +
      "nspin: hint: each entry of /etc/netns/ID covers its namesake in /etc, which must exist\n",
  ],
  [
    "an /etc/netns/ID that is a file",
    ["--netns", "file", "touch", `${directory}/started`],
    "nspin: cannot list /etc/netns/file: Not a directory (ENOTDIR)\n",
  ],
  [
    "names that no terminal shall obey",
    ["--bind", `${directory}/\x1b[2J\u009b2J\n:${hello}`, "touch", `${directory}/started`],
    `nspin: cannot open ${directory}/\\x1b[2J\\xc2\\x9b2J\\x0a: No such file or directory (ENOENT)\n` +
      "nspin: hint: this is what the program shall see: it must exist\n",
  ],
  [
    "a missing source",
    ["--bind", `${directory}/none:${hello}`, "touch", `${directory}/started`],
    `nspin: cannot open ${directory}/none: No such file or directory (ENOENT)\n` +
      "nspin: hint: this is what the program shall see: it must exist\n",
  ],
  [
    "a missing target",
    ["--bind", `${world}:${directory}/none`, "touch", `${directory}/started`],
    `nspin: cannot open ${directory}/none: No such file or directory (ENOENT)\n` +
      "nspin: hint: only what exists can be covered: create it first\n",
  ],
  [
    "a file over a directory",
    ["--bind", `${world}:${directory}/dir`, "touch", `${directory}/started`],
    `nspin: cannot lay ${world} over ${directory}/dir: Not a directory (ENOTDIR)\n${kindsHint}`,
  ],
  [
    "a directory over a file",
    ["--bind", `${directory}/dir:${hello}`, "touch", `${directory}/started`],
    `nspin: cannot lay ${directory}/dir over ${hello}: Is a directory (EISDIR)\n${kindsHint}`,
  ],
  [
    "one file by two names",
    [
      "--bind",
      `${world}:${hello}`,
      "--bind",
      `/etc/hosts:${directory}//HELLO`,
      "touch",
      `${directory}/started`,
    ],
    `nspin: cannot lay /etc/hosts over ${directory}//HELLO: File exists (EEXIST)\n` +
      "nspin: hint: another cover is on it, or within it, or around it\n",
  ],
  [
    "an unknown option",
    ["--net", "a", "p"],
    `nspin: unknown option "--net"\nnspin: hint: try 'nspin --help', or 'nspin COMMAND --help'\n`,
  ],
  [
    "nothing to do",
    ["p"],
    "nspin: nothing to do: neither --netns nor --bind is given\nnspin: hint: give one, or a profile, which is the first word: nspin run @NAME\n",
  ],
];

test.each(cases)("%s", async (_, words, stderr) => {
  const before = mountTable();
  expect(await nspin(["run", ...words])).toMatchObject({ status: 125, stdout: "", stderr });
  expect(mountTable()).toEqual(before);
  expect(await Bun.file(`${directory}/started`).exists()).toBeFalse();
});

test("no CAP_SYS_ADMIN", async () => {
  const words = [NSPIN, "run", "--bind", `${world}:${hello}`, "true"];
  expect(await start([...without("sys_admin"), ...words])).toMatchObject({
    status: 125,
    stderr:
      "nspin: cannot use CAP_SYS_ADMIN: Operation not permitted (EPERM)\nnspin: hint: run it as root, for example with sudo; in a unit, CapabilityBoundingSet= must have it\n",
  });
});

test("an argument list too long", async () => {
  // A list that is just short enough for nspin, and too long with nsenter's words:
  // the kernel takes a quarter of the stack limit, execve(2), here 512 KiB.
  await $`ln -s ${NSPIN} /n && echo > /a && echo > /b`;
  const command = ["sh", "-c", 'ulimit -s 2048; exec "$@"', "sh", "/n", "run", "--bind=a:/b", "true"];
  const words = Array.from({ length: 5 }, () => "x".repeat(100_000));
  const run = (last: number) =>
    start([...command, ...words, "x".repeat(last)], { env: { PATH: "/usr/bin:/bin" }, cwd: "/" });
  let fits = 1;
  let tooLong = 30_000;
  let seen = await run(fits);
  expect(seen.status).toBe(0);
  while (seen.status !== 125 && tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    seen = await run(middle);
    if (seen.status === 0) fits = middle;
    else tooLong = middle;
  }
  expect(seen).toMatchObject({
    status: 125,
    stderr:
      "nspin: cannot execute /usr/bin/nsenter: Argument list too long (E2BIG)\n" +
      "nspin: hint: arguments and environment together are longer than execve(2) takes\n",
  });
});

test.each([
  ["nonesuch", 127, "nspin: cannot find nonesuch: No such file or directory (ENOENT)\n"],
  ["", 127, 'nspin: cannot find "": No such file or directory (ENOENT)\n'],
  [
    "/tmp",
    126,
    "nspin: cannot find /tmp: Permission denied (EACCES)\n" +
      "nspin: hint: it may not be executed: look at its mode, and at the way to it\n",
  ],
])("--enter setns %p", async (program, status, stderr) => {
  const words = ["run", "--enter", "setns", "--bind", `${world}:${hello}`, program];
  expect(await nspin(words)).toMatchObject({ status, stderr });
});

test("--enter setns starts a script without a format by the shell, as execvp does", async () => {
  writeFileSync(`${directory}/script`, "echo $1\n");
  chmodSync(`${directory}/script`, 0o755);
  const words = ["run", "--enter", "setns", "--bind", `${world}:${hello}`, "./script", "word"];
  expect(await nspin(words, { cwd: directory })).toMatchObject({ status: 0, stdout: "word\n", stderr: "" });
});

test("a value that is not UTF-8, of which JavaScript has another, by whose name there is a file", async () => {
  const other = `${directory}/a\ufffd`;
  writeFileSync(other, "another");
  const words = ["run", "--bind", `${other}:${hello}`, "--", "cat", hello];
  expect(await nspin(words)).toMatchObject({ status: 0, stdout: "another" });
  const bad = `"${directory}/a$(printf '\\377')`;
  for (const [option, line] of [
    ["--bind", `run --bind ${bad}:${hello}" -- cat ${hello}`],
    ["--bind", `run --bind=${bad}:${hello}" cat ${hello}`],
    ["-o", `bake --bind ${world}:${hello} -o ${bad}"`],
  ]) {
    const { status, stdout, stderr } = await start(["bash", "-c", `"$0" ${line}`, NSPIN]);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toStartWith(`nspin: option ${option} needs a value in UTF-8\n`);
  }
  expect(await Bun.file(other).text()).toBe("another");
});

test("no command: the commands, on stderr", async () => {
  const { stdout: commands } = await nspin(["--help"]);
  expect(await nspin([])).toMatchObject({ status: 125, stdout: "", stderr: commands });
});
