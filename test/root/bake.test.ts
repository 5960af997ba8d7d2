// A launcher is `run --enter setns` by another entry: the same program, the same
// words where it fails, nothing left behind.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { $ } from "bun";
import { version } from "../../package.json";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { until } from "../kit/until.ts";
import { files } from "./hello-and-world.ts";
import { AS_NOBODY, nspin, start, without } from "./start.ts";

const { directory, hello, world } = files();
const launcher = `${directory}/launcher`;
const ID = "baked";
const bind = ["--bind", `${world}:${hello}`];

beforeAll(async () => {
  await $`ip netns add ${ID} && mkdir -p /etc/netns/${ID}`;
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, "nameserver 192.0.2.53\n");
});
afterAll(() => rmSync(`/etc/netns/${ID}`, { recursive: true }));

async function bake(...words: string[]): Promise<void> {
  expect(await nspin(["bake", "-o", launcher, ...words])).toMatchObject({
    status: 0,
    stdout: "",
    stderr: "",
  });
}

test("the program is in the network namespace, and sees what covers; nothing is left", async () => {
  const before = mountTable();
  const inode = (await $`stat -Lc %i /run/netns/${ID}`.text()).trim();
  const look = ["sh", "-c", `cat /etc/resolv.conf ${hello}; stat -Lc %i /proc/self/ns/net`];
  await bake("--netns", ID, ...bind, "--method", "rejoin", "--", ...look);
  const stdout = `nameserver 192.0.2.53\nWORLD\n${inode}\n`;
  expect(await start([launcher])).toMatchObject({ status: 0, stdout, stderr: "" });
  expect(mountTable()).toEqual(before);
});

test("arguments are appended, byte for byte, or are the whole program", async () => {
  const odd = ['printf %s\\\\n "$@" | od -An -c', "sh", "", "a b", "é"];
  const command = ["sh", "-c", ...odd];
  await bake(...bind, "--", ...command.slice(0, 4));
  const whole = await start(command);
  expect(await start([launcher, ...command.slice(4)])).toMatchObject({
    status: 0,
    stdout: whole.stdout,
    stderr: "",
  });
  await bake(...bind);
  expect(await start([launcher, ...command])).toMatchObject({ status: 0, stdout: whole.stdout, stderr: "" });
  const script = `bytes=$(printf 'a\\377b'); "$0" bake -o ${launcher} ${bind.join(" ")} -- printf %s "$bytes"`;
  expect(await start(["bash", "-c", script, NSPIN])).toMatchObject({ status: 0, stderr: "" });
  expect((await $`${launcher} | od -An -tx1`.text()).trim()).toBe("61 ff 62");
});

test("its process is the program, with the launcher's descriptors only", async () => {
  await bake("--netns", ID, "--", "sh", "-c", 'echo $$; ls /proc/$$/fd; cat /proc/$$/cmdline | tr "\\0" " "');
  const { pid, stdout, stderr } = await start(["sh", "-c", 'exec 7</dev/null; exec "$0"', launcher]);
  expect({ stdout: stdout.split("\n").slice(0, 5), stderr }).toEqual({
    stdout: [String(pid), "0", "1", "2", "7"],
    stderr: "",
  });
});

describe("says what run says", () => {
  const mark = `${directory}/started`;
  const busy = `${directory}/busy`;
  copyFileSync("/bin/true", busy);
  chmodSync(busy, 0o755);
  writeFileSync(`${directory}/plain`, "");
  mkdirSync(`${directory}/odd\x1b[2J\x9b`);
  const cases: Record<string, string[]> = {
    "no such netns": ["--netns", "nope", "touch", mark],
    "no netns": ["--netns", "/etc/passwd", "--no-etc", "touch", mark],
    "a namespace of another kind": ["--netns", "/proc/self/ns/mnt", "--no-etc", "touch", mark],
    "no resolv.conf": ["--netns", "bare", "touch", mark],
    "no source": ["--bind", `${directory}/none:${hello}`, "touch", mark],
    "no target": ["--bind", `${world}:${directory}/none`, "touch", mark],
    "a file over a directory": ["--bind", `${world}:${directory}/dir`, "touch", mark],
    "a directory over a file": ["--bind", `${directory}/dir:${hello}`, "touch", mark],
    "the root": ["--bind", `${directory}/dir:/`, "touch", mark],
    "twice by two names": [...bind, "--bind", `${world}:${directory}//HELLO`, "touch", mark],
    "controls in a name": ["--bind", `${directory}/odd\x1b[2J\x9b:${hello}`, "touch", mark],
    "no program": [...bind, "nonesuch"],
    "an empty word for a program": [...bind, "--", ""],
    "no program in a path": [...bind, "/none/such"],
    "a directory": [...bind, directory],
    "not executable": [...bind, `${directory}/plain`],
  };
  beforeAll(async () => void (await $`ip netns add bare`));
  test.each(Object.entries(cases))("%s", async (_, words) => {
    const before = mountTable();
    const run = await nspin(["run", "--enter", "setns", ...words]);
    expect(run.stderr).toStartWith("nspin: cannot ");
    await bake(...words);
    const { status, stdout, stderr } = run;
    expect(await start([launcher])).toMatchObject({ status, stdout, stderr });
    expect(mountTable()).toEqual(before);
    expect(await Bun.file(mark).exists()).toBeFalse();
  });

  test("a program that is being written", async () => {
    await bake(...bind, busy);
    const hold = ["bash", "-c", 'exec 4>>"$0"; exec "$@"', busy];
    const { status, stderr } = await start([...hold, NSPIN, "run", "--enter", "setns", ...bind, busy]);
    expect(status).toBe(126);
    expect(await start([...hold, launcher])).toMatchObject({ status, stderr });
  });

  test("no privilege", async () => {
    await bake(...bind, "true");
    const drop = without("sys_admin");
    const { status, stderr } = await start([...drop, NSPIN, "run", "--enter", "setns", ...bind, "true"]);
    expect(status).toBe(125);
    expect(await start([...drop, launcher])).toMatchObject({ status, stderr });
  });
});

test("setuid it does not start anything, but for root", async () => {
  await bake(...bind, "touch", `${directory}/setuid`);
  chmodSync(directory, 0o755);
  chmodSync(launcher, 0o4755);
  expect(await start([...AS_NOBODY, launcher])).toMatchObject({
    status: 125,
    stderr:
      "nspin: cannot run setuid, setgid or with file capabilities: Operation not permitted (EPERM)\n" +
      "nspin: hint: start it as root, for example with sudo\n",
  });
  expect(await Bun.file(`${directory}/setuid`).exists()).toBeFalse();
  expect(await start([launcher])).toMatchObject({ status: 0, stderr: "" });
});

test("one that runs can be baked anew; one that fails leaves nothing", async () => {
  await bake(...bind, "sleep", "30");
  const running = Bun.spawn([launcher]);
  await bake(...bind, "echo", "new");
  expect(await start([launcher])).toMatchObject({ status: 0, stdout: "new\n" });
  running.kill();
  await running.exited;
  const names = readdirSync(directory).sort();
  const refused = await nspin(["bake", ...bind, "-o", `${directory}/dir`]);
  expect(refused).toMatchObject({
    status: 125,
    stderr: expect.stringContaining(`nspin: cannot write ${directory}/dir: `),
  });
  expect(readdirSync(directory).sort()).toEqual(names);
  expect(statSync(launcher).mode & 0o7777).toBe(0o755);
});

describe("the file:", () => {
  const output = `${directory}/output`;
  const there = () => readdirSync(directory).sort();
  const bakeTo = (file: string, ...prefix: string[]) =>
    start([...prefix, NSPIN, "bake", ...bind, "-o", file]);
  const whole = async (file: string) =>
    expect(await nspin(["inspect", file])).toMatchObject({ status: 0, stderr: "" });
  const identity = (file: string) => {
    const { uid, gid, mode } = lstatSync(file);
    return { uid, gid, mode: mode & 0o7777 };
  };
  beforeEach(() => rmSync(output, { recursive: true, force: true }));

  const mknod = (kind: string) => $`mknod ${output} ${{ raw: kind }}`;
  const others: [string, () => unknown, string][] = [
    ["a FIFO", () => mknod("p"), "it is a FIFO"],
    ["a character device", () => mknod("c 1 3"), "it is a character device"],
    ["a block device", () => mknod("b 7 200"), "it is a block device"],
    ["a socket", () => Bun.listen({ unix: output, socket: { data() {} } }).unref(), "it is a socket"],
    ["a directory", () => mkdirSync(output), "Is a directory (EISDIR)"],
    [
      "a symbolic link",
      () => symlinkSync(hello, output),
      `it is a symbolic link\nnspin: hint: it leads to ${hello}: name the file itself, or remove the link first`,
    ],
    [
      "a symbolic link to nothing",
      () => symlinkSync("none", output),
      "it is a symbolic link\nnspin: hint: it leads to none: name the file itself, or remove the link first",
    ],
  ];
  test.each(others)("%s is not replaced", async (_, put, says) => {
    await put();
    const before = [there(), lstatSync(output).ino, readFileSync(hello, "utf8")];
    expect(await bakeTo(output)).toMatchObject({
      status: 125,
      stdout: "",
      stderr: `nspin: cannot write ${output}: ${says}\n`,
    });
    expect([there(), lstatSync(output).ino, readFileSync(hello, "utf8")]).toEqual(before);
  });

  test("a name that ends as a directory's does", async () => {
    const before = there();
    expect(await bakeTo(`${output}/`)).toMatchObject({
      status: 125,
      stderr: `nspin: cannot write ${output}/: Is a directory (EISDIR)\n`,
    });
    expect(there()).toEqual(before);
  });

  test("a directory that is not there", async () => {
    expect(await bakeTo(`${directory}/none/x`)).toMatchObject({
      status: 125,
      stderr: `nspin: cannot write ${directory}/none/x: No such file or directory (ENOENT)\nnspin: hint: its directory must exist\n`,
    });
  });

  test("the user's FILE.part stays, and so does another name of the old file", async () => {
    writeFileSync(`${output}.part`, "precious");
    writeFileSync(output, "old");
    linkSync(output, `${output}.old`);
    expect(await bakeTo(output)).toMatchObject({ status: 0, stderr: "" });
    await whole(output);
    expect(readFileSync(`${output}.part`, "utf8")).toBe("precious");
    expect(readFileSync(`${output}.old`, "utf8")).toBe("old");
    rmSync(`${output}.part`);
    rmSync(`${output}.old`);
  });

  test("mode and owner are its own: umask, set-group-ID directory, another's file before it", async () => {
    expect(await bakeTo(output, "sh", "-c", 'umask 077; exec "$@"', "sh")).toMatchObject({ status: 0 });
    expect(identity(output)).toEqual({ uid: 0, gid: 0, mode: 0o755 });
    rmSync(output);
    const shared = `${directory}/shared`;
    mkdirSync(shared);
    chownSync(shared, 0, 65534);
    chmodSync(shared, 0o2777);
    writeFileSync(`${shared}/launcher`, "");
    chownSync(`${shared}/launcher`, 65534, 65534);
    expect(await bakeTo(`${shared}/launcher`)).toMatchObject({ status: 0, stderr: "" });
    expect(identity(`${shared}/launcher`)).toEqual({ uid: 0, gid: 0, mode: 0o755 });
    expect(readdirSync(shared)).toEqual(["launcher"]);
    rmSync(shared, { recursive: true });
  });

  test("in a directory that all can write, somebody's links are not followed", async () => {
    const shared = `${directory}/sticky`;
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    for (const name of ["launcher", "launcher.part"]) {
      symlinkSync(hello, `${shared}/${name}`);
      lchownSync(`${shared}/${name}`, 65534, 65534);
    }
    const inode = lstatSync(hello).ino;
    expect(await bakeTo(`${shared}/launcher`)).toMatchObject({ status: 125 });
    rmSync(`${shared}/launcher`);
    expect(await bakeTo(`${shared}/launcher`)).toMatchObject({ status: 0, stderr: "" });
    expect(readlinkSync(`${shared}/launcher.part`)).toBe(hello);
    expect([lstatSync(hello).ino, readFileSync(hello, "utf8")]).toEqual([inode, "HELLO\n"]);
    expect(lstatSync(`${shared}/launcher`)).toMatchObject({ uid: 0, nlink: 1 });
    rmSync(shared, { recursive: true });
  });

  test("two at once leave one whole launcher, and nothing else", async () => {
    const before = there();
    for (let round = 0; round < 5; round++) {
      const both = await Promise.all(Array.from({ length: 4 }, () => bakeTo(output)));
      expect(both.map(({ status, stderr }) => [status, stderr])).toEqual(both.map(() => [0, ""]));
      await whole(output);
    }
    expect(there()).toEqual([...before, "output"].sort());
  });

  test("a link put there meanwhile is replaced, and a directory put into the path is not written to", async () => {
    const [home, moved, decoy] = ["home", "moved", "decoy"].map((name) => `${directory}/${name}`) as [
      string,
      string,
      string,
    ];
    mkdirSync(home);
    mkdirSync(decoy);
    const slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e"];
    const delay = "inject=?rename,?renameat,renameat2:delay_enter=1000000";
    const baking = bakeTo(`${home}/launcher`, ...slow, delay);
    await until(async () => readdirSync(home).some((name) => name.startsWith(".nspin-")));
    symlinkSync(hello, `${home}/launcher`);
    renameSync(home, moved);
    symlinkSync(decoy, home);
    expect(await baking).toMatchObject({ status: 0, stderr: "" });
    expect([readdirSync(moved), readdirSync(decoy)]).toEqual([["launcher"], []]);
    expect(lstatSync(`${moved}/launcher`).isFile()).toBeTrue();
    await whole(`${moved}/launcher`);
    expect(readFileSync(hello, "utf8")).toBe("HELLO\n");
    for (const path of [home, moved, decoy]) rmSync(path, { recursive: true });
  });

  test("no room: what was there stays, and nothing else is left", async () => {
    const full = `${directory}/full`;
    mkdirSync(full);
    await $`mount -t tmpfs -o size=8k full ${full}`;
    writeFileSync(`${full}/launcher`, "old");
    expect(await bakeTo(`${full}/launcher`)).toMatchObject({
      status: 125,
      stderr: `nspin: cannot write ${full}/launcher: No space left on device (ENOSPC)\n`,
    });
    expect(readdirSync(full)).toEqual(["launcher"]);
    expect(readFileSync(`${full}/launcher`, "utf8")).toBe("old");
    await $`umount ${full} && rmdir ${full}`;
  });

  test("without privilege too", async () => {
    const home = `${directory}/home`;
    mkdirSync(home);
    chmodSync(directory, 0o755);
    chownSync(home, 65534, 65534);
    expect(await bakeTo(`${home}/launcher`, ...AS_NOBODY)).toMatchObject({ status: 0, stderr: "" });
    expect(identity(`${home}/launcher`)).toEqual({ uid: 65534, gid: 65534, mode: 0o755 });
    expect(await bakeTo(`${directory}/launcher`, ...AS_NOBODY)).toMatchObject({
      status: 125,
      stderr: `nspin: cannot write ${directory}/launcher: Permission denied (EACCES)\n`,
    });
    chmodSync(home, 0o300); // who may write in there need not be able to list it
    expect(await bakeTo(`${home}/launcher`, ...AS_NOBODY)).toMatchObject({ status: 0, stderr: "" });
    rmSync(home, { recursive: true });
  });
});

describe("any network namespace, by the first argument", () => {
  const look = ["sh", "-c", 'cat /etc/resolv.conf; stat -Lc %i /proc/self/ns/net; printf "[%s]" "$@"', "sh"];
  const ids = [
    ...[ID, `/run/netns/${ID}`, `/var/run/netns/${ID}`, `/proc/self/../../run/netns/${ID}`],
    ...["", ".", "..", "a/b", `./${ID}`, "a\nb", "nope", "x".repeat(300), `${ID} `],
    ...["/", "/run/netns/..", "/run/netns/.", `/run/netns/${ID}/`, "/proc/1/ns/net", "/etc/passwd"],
    ...[
      "pid:",
      "pid:0",
      "pid:01",
      "pid:-1",
      "pid:1a",
      "pid:1",
      "pid:99999999999",
      "pid:9999999999",
      "pid:1/../1",
    ],
  ];
  const differs = /^nspin: hint: .*$/gm; // one speaks of an option, the other of an argument

  test.each(ids)("%p: what run does", async (id) => {
    for (const options of [[], ["--no-etc"], ["--bind", `${world}:/etc/resolv.conf`], bind]) {
      const run = await nspin([
        "run",
        "--enter",
        "setns",
        "--netns",
        id,
        ...options,
        "--",
        ...look,
        "a b",
        "",
      ]);
      await bake("--netns-arg", ...options, "--", ...look);
      const baked = await start([launcher, id, "a b", ""]);
      expect([options, baked.status, baked.stdout]).toEqual([options, run.status, run.stdout]);
      expect(baked.stderr === "").toBe(run.stderr === "");
      if (run.stderr.startsWith("nspin: cannot open"))
        expect(baked.stderr.replace(differs, "")).toBe(run.stderr.replace(differs, ""));
    }
  });

  test("without it nothing is started, and the message says what is missing", async () => {
    await bake("--netns-arg");
    const what =
      "the first argument names the network namespace: a name under /run/netns, an absolute path, or pid:N";
    const missing = `nspin: cannot put together the arguments: Invalid argument (EINVAL)\nnspin: hint: ${what}\n`;
    expect(await start([launcher])).toMatchObject({ status: 125, stderr: missing });
    expect(await start(["bash", "-c", 'exec -a "" "$0"', launcher])).toMatchObject({
      status: 125,
      stderr: missing,
    });
    expect(await start([launcher, "a/b\x1b"])).toMatchObject({
      status: 125,
      stderr: `nspin: cannot open network namespace a/b\\x1b: Invalid argument (EINVAL)\nnspin: hint: ${what}\n`,
    });
    expect(await start([launcher, ""])).toMatchObject({
      status: 125,
      stderr: `nspin: cannot open network namespace "": Invalid argument (EINVAL)\nnspin: hint: ${what}\n`,
    });
    expect(await start([launcher, ID])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("hint: no program is named: give one\n"),
    });
    expect(await start([launcher, "pid:1", "true"])).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/^nspin: cannot open network namespace pid:1: .*\n.* it has no name, /),
    });
    expect(await start([launcher, ID, "cat", "/etc/resolv.conf"])).toMatchObject({
      status: 0,
      stdout: "nameserver 192.0.2.53\n",
      stderr: "",
    });
  });

  test("inspect says so", async () => {
    await bake("--netns-arg", "p");
    expect((await nspin(["inspect", launcher])).stdout).toStartWith(
      "join the network namespace that the first argument names\nbind each entry of its directory in /etc/netns",
    );
    const { netns, netnsArgument } = JSON.parse((await nspin(["inspect", "--json", launcher])).stdout);
    expect([netns, netnsArgument]).toEqual([null, "etc"]);
  });
});

test("its version is in a note, and its arguments are the program's", async () => {
  await bake(...bind, "printf", "%s");
  expect(await start([launcher, "--nspin-version"])).toMatchObject({ status: 0, stdout: "--nspin-version" });
  expect(await $`readelf --notes ${launcher}`.text()).toContain(`"name":"nspin","version":"${version}"`);
  expect((await nspin(["inspect", launcher])).stdout).toContain(
    `note: for ${process.arch}, baked by nspin ${version}\n`,
  );
  expect(JSON.parse((await nspin(["inspect", "--json", launcher])).stdout)).toMatchObject({
    bakedBy: version,
    arch: process.arch,
  });
});

test("no control character of a name or a word reaches the terminal, nor is one lost in JSON", async () => {
  const words = [...bind, "--", "echo", "a\x1b[2J\x9b31m\u202e\u2028"];
  await bake(...words);
  for (const asked of [
    ["inspect", launcher],
    ["run", "--dry-run", "--enter", "setns", ...words],
  ]) {
    const [command = "", ...more] = asked;
    const shown = (await nspin([command, ...more])).stdout;
    const json = (await nspin([command, "--json", ...more])).stdout;
    expect(shown + json).not.toMatch(/[^\P{C}\n]|[\u2028]/u);
    expect(JSON.parse(json).command[1]).toBe(words.at(-1));
  }
});

test("inspect prints the plan as --dry-run prints its steps", async () => {
  const words = ["--netns", ID, ...bind, "--read-only", "--method", "pin"];
  await bake(...words, "--", "echo", "b c");
  const json = JSON.parse((await nspin(["inspect", "--json", launcher])).stdout);
  const dry = JSON.parse(
    (await nspin(["run", "--dry-run", "--json", "--enter", "setns", ...words, "echo", "b c"])).stdout,
  );
  expect(json.command).toEqual([...dry.command, "ARG..."]);
  for (const key of ["netns", "etc", "method", "readOnly", "enter"])
    expect([key, json[key]]).toEqual([key, dry[key]]);
  expect(json.covers[0]).toMatchObject({ source: world, target: hello, from: "--bind" });
  const lines = (await nspin(["inspect", launcher])).stdout;
  expect(lines).toContain("execute echo 'b c' ARG...\n");
  writeFileSync(`${directory}/changed`, Buffer.concat([readFileSync(launcher), Buffer.from("x")]));
  expect(await nspin(["inspect", `${directory}/changed`])).toMatchObject({
    status: 125,
    stdout: "",
    stderr: `nspin: cannot read ${directory}/changed: it was changed after it was baked\nnspin: hint: 'nspin bake' writes launchers\n`,
  });
});
