// nspin by sudo: which lines of sudoers give a user one program in one network
// namespace, and which give the whole machine. SECURITY.md's table is this one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { start } from "./start.ts";

const PROGRAM = "/usr/bin/soci-snapshotter-grpc";
const HOME = "/home/alice";
const USER = ["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "env", "-i"];
const SAFE_PATH = "PATH=/usr/local/bin:/usr/bin:/bin";
const words = ["run", "--netns", "task1", "--", PROGRAM];
const line = `alice ALL=(root) NOPASSWD: /usr/local/bin/nspin ${words.join(" ")}`;

const started = { status: 0, stdout: "the program, as root, with 192.0.2.1\n" };
const refused = { status: 1, stdout: "", stderr: expect.stringMatching(/^sudo: (sorry|a password)/m) };
const code = { stdout: expect.stringContaining("code as root\n") };

interface Attempt {
  /** What alice types after "sudo". */
  readonly sudo: readonly string[];
  /** Her environment. */
  readonly env?: readonly string[];
  readonly outcome: object;
}

interface Rule {
  /** The line in sudoers; Defaults stand before the first of these rules. */
  readonly line: string;
  readonly gives: string;
  readonly attempts: Record<string, Attempt>;
}

const nspin = ["nspin", ...words];
const shell = ["/bin/sh", "-c", "echo code as $(id -un)", "sh"];
const preload = `LD_PRELOAD=${HOME}/preload.so`;
/** Each runs code of alice's in a compiled Bun program; the former makes it `bun run task1`, of her package.json. */
const runtime = ["BUN_BE_BUN=1", `BUN_OPTIONS=--preload=${HOME}/preload.js`];

const rules: Rule[] = [
  {
    line,
    gives: "this program, in this network namespace",
    attempts: {
      "as it is": { sudo: nspin, outcome: started },
      "another program": { sudo: ["nspin", "run", "--netns", "task1", "--", ...shell], outcome: refused },
      "another namespace": { sudo: ["nspin", "run", "--netns", "task2", "--", PROGRAM], outcome: refused },
      "one word more": { sudo: [...nspin, "--root=/"], outcome: refused },
      "LD_PRELOAD exported": { sudo: nspin, env: [preload], outcome: started },
      "LD_PRELOAD to sudo": { sudo: [preload, ...nspin], outcome: refused },
      "LD_PRELOAD kept": { sudo: ["--preserve-env=LD_PRELOAD", ...nspin], env: [preload], outcome: started },
      "the runtime's variables exported": { sudo: nspin, env: runtime, outcome: started },
      "the runtime's variables to sudo": { sudo: [...runtime, ...nspin], outcome: refused },
      "the environment kept": { sudo: ["-E", ...nspin], env: runtime, outcome: refused },
      "PATH exported": { sudo: nspin, env: [`PATH=${HOME}/bin:/usr/bin:/bin`], outcome: started },
    },
  },
  {
    line: `alice ALL=(root) NOPASSWD: /usr/local/bin/nspin ^run --netns task[0-9]+ -- ${PROGRAM}$`,
    gives: "this program, in these network namespaces (since sudo 1.9.10)",
    attempts: {
      "as it is": { sudo: nspin, outcome: started },
      "another program before it": {
        sudo: ["nspin", "run", "--netns", "task1", "--", ...shell, "--", PROGRAM],
        outcome: refused,
      },
      "another namespace": {
        sudo: ["nspin", "run", "--netns", "/proc/1/ns/net", "--", PROGRAM],
        outcome: refused,
      },
    },
  },
  {
    line: "alice ALL=(root) NOPASSWD: /usr/local/bin/nspin",
    gives: "everything: nspin starts any program",
    attempts: {
      "another program": { sudo: ["nspin", "run", "--netns", "task1", "--", ...shell], outcome: code },
    },
  },
  {
    line: `alice ALL=(root) NOPASSWD: /usr/local/bin/nspin run --netns task* -- ${PROGRAM}`,
    gives: "everything: * also stands for several words",
    attempts: {
      "another program before it": {
        sudo: ["nspin", "run", "--netns", "task1", "--", ...shell, "--", PROGRAM],
        outcome: code,
      },
    },
  },
  {
    line: line.replace("NOPASSWD: ", "NOPASSWD: SETENV: "),
    gives: "everything: LD_PRELOAD loads any code into any program",
    attempts: {
      LD_PRELOAD: { sudo: [preload, ...nspin], outcome: code },
      "the runtime's variables": { sudo: [...runtime, ...nspin], outcome: started },
    },
  },
  {
    line: 'Defaults:alice env_keep += "LD_PRELOAD"',
    gives: "everything: as SETENV",
    attempts: { LD_PRELOAD: { sudo: [preload, ...nspin], outcome: code } },
  },
  {
    line: "Defaults:alice !secure_path",
    gives: "the program with the user's PATH, which nspin itself does not follow",
    attempts: {
      PATH: {
        sudo: ["/usr/local/bin/nspin", ...words],
        env: [`PATH=${HOME}/bin:/usr/bin:/bin`],
        outcome: started,
      },
    },
  },
  {
    line: "Defaults:alice !env_reset",
    gives: "the program with the user's environment, its proxy for one",
    attempts: {
      "a proxy": {
        sudo: nspin,
        env: ["https_proxy=http://192.0.2.66"],
        outcome: { status: 0, stdout: "the program, as root, with 192.0.2.1 by http://192.0.2.66\n" },
      },
      LD_PRELOAD: { sudo: nspin, env: [preload], outcome: started },
      "the runtime's variables": { sudo: nspin, env: runtime, outcome: started },
    },
  },
];

beforeAll(async () => {
  await $`useradd --create-home --home-dir ${HOME} alice`;
  await $`cp ${NSPIN} /usr/local/bin/nspin && ip netns add task1 && mkdir -p /etc/netns/task1 ${HOME}/bin`;
  writeFileSync("/etc/netns/task1/resolv.conf", "nameserver 192.0.2.1\n");
  const script = `read -r _ server </etc/resolv.conf; echo "the program, as $(id -un), with $server\${https_proxy+ by $https_proxy}"`;
  writeFileSync(PROGRAM, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  // What is alice's, where she starts nspin.
  writeFileSync(`${HOME}/bin/nsenter`, `#!/bin/sh\necho "code as $(id -un)"\n`, { mode: 0o755 });
  writeFileSync(
    `${HOME}/preload.js`,
    'console.log("code as", process.geteuid() === 0 ? "root" : "alice");\n',
  );
  writeFileSync(`${HOME}/bunfig.toml`, 'preload = ["./preload.js"]\n');
  writeFileSync(`${HOME}/package.json`, '{ "scripts": { "task1": "echo code as $(id -un);" } }\n');
  const source = `#include "ffi/syscall.h"
    __attribute__((constructor)) static void run(void) {
      if (CALL(__NR_geteuid) == 0) CALL(__NR_write, 1, "code as root\\n", 13);
    }`;
  await $`cc -I. -shared -fPIC -nostdlib -xc - -o ${HOME}/preload.so < ${Buffer.from(source)}`;
});
afterAll(() => rmSync("/etc/netns/task1", { recursive: true }));

for (const rule of rules) {
  describe(rule.line, () => {
    beforeAll(async () => {
      const text = rule.line.startsWith("Defaults") ? `${rule.line}\n${line}\n` : `${rule.line}\n`;
      writeFileSync("/etc/sudoers.d/nspin", text, { mode: 0o440 });
      await $`visudo --check --quiet`;
    });

    test.each(Object.entries(rule.attempts))("%s", async (_, { sudo, env = [], outcome }) => {
      const seen = await start([...USER, SAFE_PATH, ...env, "sudo", "-n", ...sudo], { cwd: HOME });
      expect(seen).toMatchObject(outcome);
    });
  });
}

// SECURITY.md: a table of two columns, the line and what it gives, whose rows are
// these. Where they are not, this prints both.
test("SECURITY.md shows these lines and no other", () => {
  const shown = readFileSync("SECURITY.md", "utf8")
    .split("\n")
    .filter((row) => /^\| `(alice|Defaults)/.test(row));
  expect(shown).toEqual(rules.map((rule) => `| \`${rule.line}\` | ${rule.gives} |`));
});

/** Whoever starts such a file chooses its environment: there is no sudo before it. */
describe.each([
  ["setuid", ["chmod", "4755"]],
  ["with file capabilities", ["setcap", "cap_sys_admin,cap_sys_chroot+ep"]],
])("a copy %s is of no use", (_, privilege) => {
  const copy = "/usr/local/bin/nspin-privileged";
  beforeAll(async () => {
    await $`rm -f ${copy} && cp ${NSPIN} ${copy} && ${privilege} ${copy}`;
  });

  test.each(["LANG=C", ...runtime])("%p", async (env) => {
    const seen = await start([...USER, SAFE_PATH, env, copy, ...words], { cwd: HOME });
    expect(seen).toMatchObject({
      status: 125,
      stdout: "",
      stderr: expect.stringMatching(/^nspin: cannot .+\n(nspin: hint: .+\n)?$/),
    });
  });
});
