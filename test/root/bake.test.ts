// A launcher is `run --enter setns` by another entry: the same program, the same
// words where it fails, nothing left behind.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { $ } from "bun";
import { mountTable } from "../host.ts";
import { files, NSPIN, nspin, start } from "./nspin.ts";

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
    const drop = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
    const { status, stderr } = await start([...drop, NSPIN, "run", "--enter", "setns", ...bind, "true"]);
    expect(status).toBe(125);
    expect(await start([...drop, launcher])).toMatchObject({ status, stderr });
  });
});

test("setuid it does not start anything, but for root", async () => {
  await bake(...bind, "touch", `${directory}/setuid`);
  chmodSync(directory, 0o755);
  chmodSync(launcher, 0o4755);
  const as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  expect(await start([...as, launcher])).toMatchObject({
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

test("inspect prints the plan as --dry-run prints its steps", async () => {
  const words = ["--netns", ID, ...bind, "--read-only", "--method", "pin"];
  await bake(...words, "--", "a", "b c");
  const json = JSON.parse((await nspin(["inspect", "--json", launcher])).stdout);
  const dry = JSON.parse(
    (await nspin(["run", "--dry-run", "--json", "--enter", "setns", ...words, "a", "b c"])).stdout,
  );
  expect(json.command).toEqual([...dry.command, "ARG..."]);
  for (const key of ["netns", "etc", "method", "readOnly", "enter"])
    expect([key, json[key]]).toEqual([key, dry[key]]);
  expect(json.covers[0]).toMatchObject({ source: world, target: hello, from: "--bind" });
  const lines = (await nspin(["inspect", launcher])).stdout;
  expect(lines).toContain("execute a 'b c' ARG...\n");
  writeFileSync(`${directory}/changed`, Buffer.concat([readFileSync(launcher), Buffer.from("x")]));
  expect(await nspin(["inspect", `${directory}/changed`])).toMatchObject({
    status: 125,
    stdout: "",
    stderr: `nspin: cannot read ${directory}/changed: it was changed after it was baked\nnspin: hint: 'nspin bake' writes launchers\n`,
  });
});
