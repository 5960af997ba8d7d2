// nspin run @NAME and nspin bake @NAME: /etc/nspin/NAME.toml in place of options and program.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { $ } from "bun";
import { runArgs } from "../../src/arguments.ts";
import { bakeArgs } from "../../src/commands/bake.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { nspin, start } from "./start.ts";

const DIRECTORY = "/etc/nspin";
const FILE = `${DIRECTORY}/app.toml`;
const TASK = "nameserver 10.0.0.2\n";
const OTHER = "nameserver 10.0.0.3\n";
const profile = (text: string | Uint8Array) => writeFileSync(FILE, text, { mode: 0o644 });
const printsFile = 'netns = "task1"\nprogram = ["cat", "/etc/resolv.conf"]\n';

beforeAll(async () => {
  await ownResolvConf("/run/systemd/resolve/stub-resolv.conf");
  await $`echo nameserver 192.0.2.1 > /run/systemd/resolve/stub-resolv.conf`;
  for (const [name, text] of Object.entries({ task1: TASK, task2: OTHER })) {
    await $`ip netns add ${name} && mkdir -p /etc/netns/${name}`;
    writeFileSync(`/etc/netns/${name}/resolv.conf`, text);
  }
});
beforeEach(() => {
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { mode: 0o755 });
});
afterAll(async () => {
  await $`ip netns del task1 && ip netns del task2 && umount -l /etc /run`;
});

test("the profile's options and program", async () => {
  profile(printsFile);
  expect(await nspin(["run", "@app"])).toMatchObject({ status: 0, stdout: TASK, stderr: "" });
});

test.each(["auto", "nsenter", "setns"])(
  "its program by --enter %s, from a directory that root may not enter",
  async (enter) => {
    profile(`${printsFile}enter = "${enter}"\n`);
    expect(await nspin(["run", "@app"])).toMatchObject({ status: 0, stdout: TASK });
    const noChroot = ["setpriv", "--bounding-set=-sys_chroot", "--", "nspin", "run", "@app"];
    const { status, stdout } = await start(noChroot, {
      env: { PATH: `${process.cwd()}/dist:/usr/bin:/bin` },
    });
    expect([status, stdout]).toEqual(enter === "nsenter" ? [125, ""] : [0, TASK]);
  },
);

test("a program that is not there is named, and is 127", async () => {
  profile('netns = "task1"\nprogram = ["none-such", "x"]\n');
  const { status, stderr } = await nspin(["run", "@app"]);
  expect([status, stderr]).toEqual([127, expect.stringContaining("none-such")]);
});

describe("the command line's", () => {
  test("option takes the place of the profile's", async () => {
    profile(printsFile);
    expect((await nspin(["run", "@app", "--netns", "task2"])).stdout).toBe(OTHER);
  });
  test("flag does, too, either way", async () => {
    profile(`${printsFile}etc = false\n`);
    expect((await nspin(["run", "@app"])).stdout).toBe("nameserver 192.0.2.1\n");
    expect((await nspin(["run", "@app", "--etc"])).stdout).toBe(TASK);
    expect((await nspin(["run", "@app", "--no-etc"])).stdout).toBe("nameserver 192.0.2.1\n");
  });
  test("program does, with its own words, byte for byte", async () => {
    profile(printsFile);
    expect((await nspin(["run", "@app", "echo", "-n", "a b", ""])).stdout).toBe("a b ");
    expect((await nspin(["run", "@app", "--", "--odd"])).status).toBe(127);
    const words = "printf 'printf\\0%%s\\0\\377\\0' | xargs -0 nspin run @app --";
    const { stdout } = await start(["sh", "-c", `PATH=$PWD/dist:$PATH; ${words} | od -An -tx1`]);
    expect(stdout.trim()).toBe("ff");
  });
  test("--bind is the only one then", async () => {
    for (const file of ["a", "b", "seen"]) writeFileSync(`/run/${file}`, file);
    profile('bind = "/run/a:/run/seen"\nprogram = ["cat", "/run/seen"]\n');
    expect((await nspin(["run", "@app"])).stdout).toBe("a");
    expect((await nspin(["run", "@app", "--bind", "/run/b:/run/seen"])).stdout).toBe("b");
    profile(
      'bind = ["/run/a:/run/seen", "/run/b:/etc/hostname"]\nprogram = ["cat", "/run/seen", "/etc/hostname"]\n',
    );
    expect((await nspin(["run", "@app"])).stdout).toBe("ab");
  });
});

test("--dry-run and -v tell of the program", async () => {
  profile(printsFile);
  expect((await nspin(["run", "@app", "--dry-run"])).stdout).toContain("cat /etc/resolv.conf");
  const json = JSON.parse((await nspin(["run", "@app", "--dry-run", "--json", "--enter", "setns"])).stdout);
  expect(json.command).toEqual(["cat", "/etc/resolv.conf"]);
  expect((await nspin(["run", "@app", "-v"])).stderr).toContain("cat /etc/resolv.conf");
});

test("bake: the launcher has the program, and its own words follow", async () => {
  profile(`${printsFile}output = "/run/launcher"\n`);
  expect(await nspin(["bake", "@app"])).toMatchObject({ status: 0, stderr: "" });
  expect((await start(["/run/launcher", "/etc/hostname"])).stdout).toBe(
    TASK + readFileSync("/etc/hostname", "utf8"),
  );
  expect(
    (await nspin(["bake", "@app", "-o", "/run/other", "--netns=task2", "--", "head", "-c5"])).status,
  ).toBe(0);
  expect((await start(["/run/other", "/etc/resolv.conf"])).stdout).toBe("names");
  expect((await nspin(["run", "@app"])).stdout).toBe(TASK); // the launcher's name is nothing to it
});

test.each([
  ["wait = false", 125],
  ['wait = "0.1s"', 124],
])("of a namespace that is not there, %s", async (wait, status) => {
  profile(`netns = "none"\nprogram = ["true"]\n${wait}\n`);
  expect((await nspin(["run", "@app"])).status).toBe(status);
});

test("each option of run, and of bake, is a key", async () => {
  const value = ({ type, options }: { readonly type: string; readonly options?: readonly string[] }) =>
    type === "boolean" ? "true" : JSON.stringify(options?.[0] ?? "/run/x");
  for (const [command, args] of Object.entries({ run: runArgs, bake: bakeArgs })) {
    const keys = Object.entries(args).map(([name, arg]) => `${name} = ${value(arg)}\n`);
    profile(keys.join(""));
    expect((await nspin([command, "@app"])).stderr).not.toContain(FILE);
  }
});

describe("refused", () => {
  test.each([
    ['nets = "task1"', 'unknown key "nets"', 'the nearest is "netns"'],
    ["read_only = true", 'unknown key "read_only"', 'the nearest is "read-only"'],
    ['programm = ["x"]', 'unknown key "programm"', 'the nearest is "program"'],
    ["no-keep = true", 'unknown key "no-keep"', 'the nearest is "keep"'],
    ["__proto__ = 1", 'unknown key "__proto__"', ""],
    ["constructor = 1", 'unknown key "constructor"', ""],
    ['"a\\u001b[31m" = 1', 'unknown key "a\\u001b[31m"', ""],
    ["[netns]\nx = 1", "netns needs a word in quotes", ""],
    ["netns = 1", "netns needs a word in quotes, or a list of them, not 1", ""],
    ['netns = "a\\u0000b"', "netns needs a word in quotes", ""],
    ['netns = ["a", "b"]\nprogram = ["true"]', "option --netns is given more than once", ""],
    ['keep = "no"', 'keep needs true or false, not "no"', ""],
    ["wait = 2", "wait needs true, false or a word in quotes, not 2", ""],
    ['netns = "task1"\nwait = "2x"\nprogram = ["true"]', 'option --wait needs a duration, not "2x"', ""],
    ['method = "pni"', 'option --method needs auto, pin, rejoin or overlay, not "pni"', ""],
    ['program = "cat x"', 'program needs a list of words, not "cat x"', ""],
    ["program = []", "program needs a word", ""],
    ["program = [1]", "a word is in quotes, unlike 1", ""],
    ['program = ["a\\u0000"]', "no word can be", ""],
    ['netns = "a"\nnetns = "b"', "it is not TOML: Cannot redefine key 'netns'", ""],
    ["netns = task1", "it is not TOML", ""],
    ['netns = "task1"', "no program given", ""],
    ['program = ["true"]', "nothing to do: neither --netns nor --bind is given", ""],
    ['netns = []\nbind = "/a:/b"\nsys = true\nprogram = ["true"]', "option --sys needs --netns", ""],
  ])("%p", async (text, message, hint) => {
    profile(text);
    const { status, stdout, stderr } = await nspin(["run", "@app"]);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("\x1b");
  });

  test("a launcher without a name, by an empty list", async () => {
    profile(`${printsFile}output = []\n`);
    expect((await nspin(["bake", "@app"])).stderr).toStartWith("nspin: no launcher is named\n");
  });

  test("what is not UTF-8", async () => {
    profile(Uint8Array.from([0x23, 0xff, 0x0a]));
    expect((await nspin(["run", "@app"])).stderr).toBe(
      `nspin: cannot use profile ${FILE}: it is not UTF-8\n`,
    );
  });

  test.each([
    ["bake", "enter", '"nsenter"'],
    ["run", "netns-arg", "true"],
  ])("%s, what only the other can do: %s", async (command, key, value) => {
    profile(`${printsFile}${key} = ${value}\n`);
    const message = `nspin: cannot use profile ${FILE}: this command has no option --${key}\n`;
    expect(await nspin([command, "@app"])).toMatchObject({ status: 125, stdout: "", stderr: message });
  });

  test.each([
    "@",
    "@.",
    "@..",
    "@../app",
    "@/etc/nspin/app",
    "@a/b",
    "@.hidden",
    "@a b",
    "@a\nb",
    "@\x1b[31m",
  ])("the name %p", async (word) => {
    profile(printsFile);
    for (const command of ["run", "bake"]) {
      const { status, stderr } = await nspin([command, word]);
      expect(status).toBe(125);
      expect(stderr).toStartWith(`nspin: cannot use profile ${JSON.stringify(word.slice(1))}: `);
    }
  });

  test("a name without a file", async () => {
    const { status, stderr } = await nspin(["run", "@none"]);
    expect(status).toBe(125);
    expect(stderr).toStartWith(
      `nspin: cannot read ${DIRECTORY}/none.toml: No such file or directory (ENOENT)\nnspin: hint: `,
    );
  });
});

/** Each leaves something on the way that somebody else than root can write. */
const ways: Record<string, () => void> = {
  "the file, by its group": () => chmodSync(FILE, 0o664),
  "the file, by all": () => chmodSync(FILE, 0o646),
  "the file, by its owner": () => chownSync(FILE, 1000, 0),
  "its directory, by its group": () => chmodSync(DIRECTORY, 0o775),
  "its directory, by all, sticky": () => chmodSync(DIRECTORY, 0o1777),
  "its directory, by its owner": () => chownSync(DIRECTORY, 1000, 0),
  "/etc, by all": () => chmodSync("/etc", 0o777),
  "a link in its place": () => {
    renameSync(FILE, "/etc/nspin.toml");
    symlinkSync("/etc/nspin.toml", FILE);
  },
  "a link in its directory's place": () => {
    renameSync(DIRECTORY, "/etc/nspin-profiles");
    symlinkSync("/etc/nspin-profiles", DIRECTORY);
  },
  "a FIFO in its place": () => {
    rmSync(FILE);
    Bun.spawnSync(["mkfifo", FILE]);
  },
  "a directory in its place": () => {
    rmSync(FILE);
    mkdirSync(FILE);
  },
};

describe("others than root can write", () => {
  test.each(Object.keys(ways))("%s", async (way) => {
    profile(printsFile);
    try {
      ways[way]?.();
      for (const words of [
        ["run", "@app"],
        ["run", "@app", "--dry-run"],
        ["bake", "@app", "-o", "/run/l"],
      ]) {
        const { status, stdout, stderr } = await nspin(words);
        expect([status, stdout]).toEqual([125, ""]);
        expect(stderr).toStartWith(`nspin: cannot use profile ${FILE}: `);
      }
    } finally {
      chmodSync("/etc", 0o755);
      rmSync("/etc/nspin-profiles", { recursive: true, force: true });
    }
  });
});

test("a launch without a profile reads nothing of it", async () => {
  profile("this is not TOML");
  const trace = await $`strace -f -qq -e trace=%file dist/nspin run --netns task1 -- true 2>&1`.text();
  expect(trace).toContain("/etc/netns/task1");
  expect(trace).not.toContain(DIRECTORY);
  expect(trace).not.toContain("commands");
});
