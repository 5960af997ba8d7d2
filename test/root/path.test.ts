// The way to the file that is to be covered, where somebody else than root owns
// a part of it, and changes it while root starts a program.
import { expect, test } from "bun:test";
import { lstatSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountinfo } from "../kit/mountinfo.ts";
import { atEachCall } from "./at-call.ts";
import { compile } from "./compile.ts";
import { enterBy, entries, start } from "./start.ts";

/** A shared tmpfs with root's victim/file, and a directory of nobody's on the way to user/a/d/file. */
async function onHost(body: (root: string) => Promise<void>) {
  const root = mkdtempSync("/opt/nspin-path-");
  const home = `${root}/user`;
  await $`mount -t tmpfs path ${root} -o mode=755 && mount --make-shared ${root}`;
  await $`mkdir -p ${root}/victim ${home}/a/d ${home}/other/d && ln -s ${root}/victim ${home}/link`;
  writeFileSync(`${root}/task`, "task\n");
  writeFileSync(`${root}/victim/file`, "victim\n");
  await $`mkdir ${root}/victim/d && ln ${root}/victim/file ${root}/victim/d/file`;
  for (const directory of ["a", "other"]) writeFileSync(`${home}/${directory}/d/file`, "user\n");
  await $`ln -s ${root}/victim/file ${home}/filelink && ln ${root}/victim/file ${home}/hardlink`;
  await $`chown -hR nobody ${home}`;
  try {
    await body(root);
  } finally {
    await $`umount -l ${root} && rmdir ${root}`;
  }
}

/** By whom the user replaces what; done twice, it is as before. */
const exchanges = {
  "a directory by a link": ["a/d", "link"],
  "a directory by another": ["a/d", "other/d"],
  "one further up by a link": ["a", "link"],
  "the file by a link": ["a/d/file", "filelink"],
  "the file by another of root's": ["a/d/file", "hardlink"],
} as const;

function exchange(root: string, [one, other]: readonly [string, string]): string {
  return `${compile("restless")} 1 exchange ${root}/user/${one} ${root}/user/${other}`;
}

/** No mount on the host, but one of method pin on the user's own file, wherever she has moved that. */
async function isUnharmed(root: string, method: string, before: string, status: number) {
  expect(readFileSync(`${root}/victim/file`, "utf8")).toBe("victim\n");
  const more = mountinfo()
    .split("\n")
    .filter((line) => !before.includes(line));
  if (status !== 0 || method !== "auto") expect(more).toEqual([]);
  for (const line of more) {
    const [, , , inside, point] = line.split(" ") as [string, string, string, string, string];
    expect(inside).toStartWith("/user/");
    await $`umount ${point}`;
  }
  expect(mountinfo()).toBe(before);
}

const methods = ["auto", "rejoin", "overlay"] as const;
const cases = methods.flatMap((method) =>
  Object.entries(exchanges).map(([what, pair]) => [method, what, pair] as const),
);

/** For the shell: exchanges them, before one call and once more before the next or not at all. */
const moments = { "once and for all": [0], "and puts it back before the next call": [0, 1] };

test.each(
  cases.flatMap(([method, what, pair]) =>
    Object.entries(moments).map(([when, at]) => [method, what, when, pair, at] as const),
  ),
)("%s: before any call, the user replaces %s, %s", (method, _, __, pair, at) =>
  onHost(async (root) => {
    const file = `${root}/user/a/d/file`;
    const launcher = enterBy("launcher", ["--method", method, "--bind", `${root}/task:${file}`]);
    const hook = exchange(root, pair);
    const before = mountinfo();
    const inode = statSync(file).ino;
    const without: number[] = [];
    let last = 0;
    const look = [...launcher, "cat", file, `${root}/victim/file`];
    for await (const { call, status, stdout } of atEachCall(hook, look, 7, at)) {
      last = call;
      expect([0, 125]).toContain(status);
      if (status === 0) expect(stdout).toEndWith("victim\n");
      if (status === 0 && stdout !== "task\nvictim\n") without.push(call);
      await isUnharmed(root, method, before, status);
      if (lstatSync(file, { throwIfNoEntry: false })?.ino !== inode) await $`sh -c ${hook}`;
    }
    // From its last look on a launch cannot tell from what the user does later.
    expect(without.filter((call) => call < last - 40)).toEqual([]);
    if (at.length > 1) expect(without).toEqual([]);
  }),
);

test("for three seconds a user exchanges her directory for a link: root's file is never covered", () =>
  onHost(async (root) => {
    const [file, victim] = [`${root}/user/a/d/file`, `${root}/victim/file`];
    const launcher = enterBy("launcher", ["--bind", `${root}/task:${file}`]);
    const nobody = ["setpriv", "--reuid", "nobody", "--clear-groups"];
    const names = [`${root}/user/a/d`, `${root}/user/link`];
    const user = Bun.spawn([...nobody, compile("restless"), "0", "exchange", ...names]);
    const seen = { started: 0, refused: 0 };
    try {
      for (const end = Date.now() + 3000; Date.now() < end; ) {
        const { status, stdout } = await start([...launcher, "cat", victim]);
        expect([0, 125]).toContain(status);
        expect(stdout).toBe(status === 0 ? "victim\n" : "");
        status === 0 ? seen.started++ : seen.refused++;
        expect(mountinfo()).not.toContain(`${root}/victim`);
      }
    } finally {
      user.kill();
      await user.exited;
    }
    console.log(`a user's directory: ${seen.started} started, ${seen.refused} refused`);
    expect(seen.started * seen.refused).toBeGreaterThan(0);
  }));

// --- links that nobody exchanges ---

const rootsTask = "task\nvictim\n";
const unsafe = /^nspin: cannot open .*\(EACCES\)\nnspin: hint: a symbolic link on the way can be replaced/;

/** What is on the way, made by the shell in the stage's root; the path through it; and whether it is taken. */
const ways: Record<string, readonly [make: string, path: string, isTaken: boolean]> = {
  "root's link in a sticky directory": ["mkdir -m 1777 t; ln -s ../d t/l", "t/l/file", true],
  "nobody's link in a sticky directory": [
    "mkdir -m 1777 t; ln -s ../d t/l; chown -h nobody t/l",
    "t/l/file",
    false,
  ],
  "root's link where everybody writes": ["mkdir -m 777 t; ln -s ../d t/l", "t/l/file", false],
  "root's link where a group writes": ["mkdir -m 775 t; ln -s ../d t/l; chgrp nogroup t", "t/l/file", false],
  "root's link in nobody's directory": ["mkdir t; ln -s ../d t/l; chown nobody t", "t/l/file", false],
  "nobody's link in root's directory": ["ln -s d l; chown -h nobody l", "l/file", false],
  "root's link to nobody's link": ["ln -s m l; ln -s d m; chown -h nobody m", "l/file", false],
  "a link to an absolute path": ['ln -s "$PWD/d" l', "l/file", true],
  "a link to a link, and ..": ["mkdir t; ln -s t/../m l; ln -s ./d m", "t/../l/../l/./file", true],
  "the magic link /proc/self/root": [":", "/proc/self/root/ROOT/d/file", true],
  "the magic link /proc/self/cwd": [":", "/proc/self/cwd/d/file", true],
  "nobody's link to nobody's own /proc/self/cwd": [
    "ln -s /proc/self/cwd l; chown -h nobody l",
    "l/d/file",
    false,
  ],
  "a loop of links": ["ln -s m l; ln -s l m", "l/file", false],
};

test.each(
  entries.flatMap((entry) => Object.entries(ways).map(([way, row]) => [entry, way, ...row] as const)),
)("by %s: %s", (entry, _, make, path, isTaken) =>
  onHost(async (root) => {
    await $`sh -c ${`umask 0; mkdir -m 755 d; echo host >d/file; ${make}`}`.cwd(root);
    const target = path.startsWith("/") ? path.replace("ROOT", root) : `${root}/${path}`;
    const before = mountinfo();
    const launch = enterBy(entry, ["--method", "rejoin", "--bind", `${root}/task:${target}`]);
    const seen = await start([...launch, "cat", `${root}/d/file`, `${root}/victim/file`], { cwd: root });
    if (isTaken) expect(seen).toMatchObject({ status: 0, stdout: rootsTask, stderr: "" });
    else {
      expect([seen.status, seen.stdout]).toEqual([125, ""]);
      expect(seen.stderr).toMatch(path === "l/file" && make.includes("ln -s l m") ? /\(ELOOP\)/ : unsafe);
    }
    expect(mountinfo()).toBe(before);
  }),
);

test("a link at the end is covered itself, whoever owns it, and what it leads to is not", () =>
  onHost(async (root) => {
    const launch = enterBy("launcher", [
      "--method",
      "rejoin",
      "--bind",
      `${root}/task:${root}/user/filelink`,
    ]);
    const seen = await start([...launch, "cat", `${root}/user/filelink`, `${root}/victim/file`]);
    expect(seen).toMatchObject({ status: 0, stdout: rootsTask, stderr: "" });
  }));
