// What the environment, the directory and the limits can do to the Bun runtime
// before JavaScript runs. dist/nspin.unguarded, whose guard records and protects from
// nothing, shows that they would.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { NSPIN } from "../kit/nspin.ts";
import { files } from "./hello-and-world.ts";
import { start, without } from "./start.ts";

const UNGUARDED = resolve(import.meta.dir, "../../dist/nspin.unguarded");
const { directory, hello, world } = files();
const setns = ["run", "--bind", `${world}:${hello}`, "--enter", "setns"];
const environ = ["cat", "/proc/self/environ"];
/** One that ends as it should, one that becomes the program, one that fails. */
const commands = { version: ["--version"], run: [...setns, ...environ], refused: ["run", "--nope"] };
type Command = keyof typeof commands;

type Effect = "runs code" | "hangs" | "leaves a file" | "speaks or fails";
interface Row {
  /** What the variables do to a binary without the guard: to any command, or to these. */
  effect: Effect;
  only?: readonly Command[];
  env: Record<string, string>;
}
const ending = ["version", "refused"] as const;
// HERE is the current directory, which holds the files below.
const rows: Row[] = [
  { effect: "speaks or fails", env: { BUN_BE_BUN: "1" } },
  { effect: "runs code", env: { BUN_OPTIONS: "--preload=HERE/evil.ts" } },
  { effect: "runs code", env: { BUN_OPTIONS: "-r HERE/evil.ts" } },
  { effect: "runs code", env: { BUN_OPTIONS: "--import=HERE/evil.ts" } },
  { effect: "runs code", env: { BUN_OPTIONS: "--config=HERE/bunfig.toml" } },
  { effect: "speaks or fails", env: { BUN_OPTIONS: "--version" } },
  { effect: "speaks or fails", env: { BUN_OPTIONS: "--help" } },
  { effect: "hangs", env: { BUN_INSPECT: "ws://127.0.0.1:6499/x?break=1" } },
  { effect: "hangs", env: { BUN_INSPECT: "ws://127.0.0.1:6499/x?wait=1" } },
  { effect: "leaves a file", env: { BUN_INSPECT: "ws+unix://HERE/socket?wait=1" } },
  {
    effect: "runs code",
    only: ["run", "refused"],
    env: { BUN_JSC_functionOverrides: "HERE/overrides", BUN_JSC_forceDebuggerBytecodeGeneration: "1" },
  },
  { effect: "speaks or fails", only: ["run"], env: { BUN_JSC_useJIT: "0" } },
  { effect: "speaks or fails", env: { BUN_JSC_nonesuch: "1" } },
  { effect: "speaks or fails", env: { BUN_JSC_dumpOptions: "1" } },
  { effect: "speaks or fails", env: { BUN_JSC_jitMemoryReservationSize: "1" } },
  { effect: "speaks or fails", env: { BUN_JSC_dumpJITMemoryPath: "HERE/jit" } },
  { effect: "speaks or fails", env: { BUN_JSC_forceDiskCache: "1" } },
  {
    effect: "leaves a file",
    only: ending,
    env: { BUN_JSC_useSamplingProfiler: "1", BUN_JSC_samplingProfilerPath: "HERE" },
  },
  { effect: "leaves a file", only: ending, env: { BUN_BYTECODE_ORDER_OUT: "HERE/order" } },
  { effect: "leaves a file", only: ending, env: { BUN_BYTECODE_DIGEST_OUT: "HERE/digest" } },
  {
    effect: "runs code", // curl, found by PATH, when it crashes
    env: { BUN_CRASH_REPORT_URL: "http://192.0.2.1/", BUN_JSC_jitMemoryReservationSize: "1" },
  },
  { effect: "speaks or fails", env: { MIMALLOC_VERBOSE: "1" } },
  { effect: "speaks or fails", env: { mimalloc_verbose: "1" } },
  { effect: "speaks or fails", only: ["refused"], env: { FORCE_COLOR: "1" } },
];

// The body of a function of nspin's as it is in the binary, for functionOverrides.
const body = /\{return (\w+)==="--help"\|\|\1==="-h"\}/.exec(readFileSync(UNGUARDED).toString("latin1"))?.[0];

/** In a directory of its own, full of traps: how it ended, what it said and what it left behind. */
async function observe(command: string[], variables: Record<string, string>) {
  const here = mkdtempSync(join(directory, "here-"));
  const mark = `writeFileSync("${here}/ran", "")`;
  const traps = {
    "evil.ts": `require("node:fs").${mark};\n`,
    "bunfig.toml": `preload = ["${here}/evil.ts"]\n`,
    ".env": `BUN_OPTIONS=--preload=${here}/evil.ts\n`,
    curl: `#!/bin/sh\n: > ${here}/ran\n`,
    overrides: `override %%%${body}%%%\nwith %%%{process.getBuiltinModule("fs").${mark}}%%%\n`,
  };
  for (const [name, text] of Object.entries(traps)) writeFileSync(join(here, name), text);
  chmodSync(join(here, "curl"), 0o755);
  const values = Object.entries(variables).map(([name, value]) => [name, value.replaceAll("HERE", here)]);
  const env = { PATH: `${here}:${process.env.PATH}`, ...Object.fromEntries(values) };
  const limits = { timeout: 3_000, killSignal: "SIGKILL" } as const;
  const child = Bun.spawn(command, { env, cwd: here, stdio: ["ignore", "pipe", "pipe"], ...limits });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const left = readdirSync(here).filter((name) => !Object.hasOwn(traps, name));
  const said = [child.exitCode, stdout, stderr].join("\n").replaceAll(here, "HERE");
  return { said, status: child.exitCode, signal: child.signalCode, left };
}

const effects: Record<Effect, (seen: Awaited<ReturnType<typeof observe>>, expected: string) => boolean> = {
  "runs code": ({ left }) => left.includes("ran"),
  hangs: ({ signal }) => signal === "SIGKILL",
  "leaves a file": ({ left }) => left.length > 0,
  "speaks or fails": ({ said }, expected) => said !== expected,
};

describe.each(Object.keys(commands) as Command[])("%s", (command) => {
  const words = commands[command];
  const named = rows.map((row) => [JSON.stringify(row.env), row] as const);
  test.each(named)(
    "%s",
    async (_, { effect, only, env }) => {
      const without = (env: Record<string, string>) =>
        command === "run" ? observe(environ, env) : observe([NSPIN, ...words], {});
      const expected = await without(env);
      if (only === undefined || only.includes(command)) {
        expect(await observe([UNGUARDED, ...words], {})).toEqual(await without({}));
        const seen = await observe([UNGUARDED, ...words], env);
        expect({ seen, [effect]: effects[effect](seen, expected.said) }).toMatchObject({ [effect]: true });
      }
      expect(await observe([NSPIN, ...words], env)).toEqual(expected);
      expect(expected).toMatchObject({ status: command === "refused" ? 125 : 0, left: [] });
    },
    30_000,
  );
});

test("variables that do nothing today reach the program too", async () => {
  const names = [
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_EXTRA_CA_CERTS",
    "TMPDIR",
    "BUN_TMPDIR",
    "BUN_INSTALL",
    "HOME",
  ];
  const env = Object.fromEntries([...names, "XDG_CONFIG_HOME", "TZ"].map((name) => [name, "/none"]));
  expect(await observe([NSPIN, ...commands.run], env)).toEqual(await observe(environ, env));
});

test("fifty thousand variables, five thousand descriptors", async () => {
  const env = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`V${i}`, ""]));
  expect(await observe([NSPIN, ...commands.run], env)).toEqual(await observe(environ, env));
  const script = 'for ((i = 3; i < 5000; i++)); do eval "exec $i</dev/null"; done; exec $0 ls /proc/self/fd';
  const direct = await start(["bash", "-c", script, "env"]);
  expect(direct.stdout.split("\n").length).toBeGreaterThan(5_000);
  const run = await start(["bash", "-c", script, [NSPIN, ...setns, "--"].join(" ")]);
  expect(run).toMatchObject({ status: 0, stdout: direct.stdout, stderr: "" });
});

describe("where the runtime does not start by itself", () => {
  const deleted = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"];
  const deep = 'mkdir -p $0 && cd $0 && mkdir -p $0 && cd -P $0 && exec "$@"';
  test.each([
    ["a removed directory", deleted],
    ["a path longer than getcwd(2) takes", ["bash", "-c", deep, Array(12).fill("x".repeat(200)).join("/")]],
  ])("in %s", async (_, enter) => {
    const script = "cat ../HELLO 2>/dev/null; readlink /proc/self/cwd";
    const from = (words: string[]) => start([...enter, ...words], { cwd: directory });
    expect((await from([UNGUARDED, "--version"])).status).toBe(1);
    expect((await from([NSPIN, "--version"])).status).toBe(0);
    const direct = await from(["sh", "-c", script]);
    for (const mode of ["setns", "nsenter"]) {
      const words = [...setns.slice(0, -1), mode, "sh", "-c", script];
      const expected = {
        ...direct,
        stdout: direct.stdout.replace("HELLO", "WORLD"),
        pid: expect.any(Number),
      };
      expect(await from([NSPIN, ...words])).toEqual(expected);
    }
  });

  test("without /proc", async () => {
    const bare = 'while umount -l /proc 2>/dev/null; do :; done; exec "$@"'; // one proc can lie on another
    const words = ["unshare", "--mount", "sh", "-c", bare, "sh", NSPIN, "--version"];
    expect(await start(words)).toMatchObject({
      status: 125,
      stderr:
        "nspin: cannot list /proc/self/fd: No such file or directory (ENOENT)\n" +
        "nspin: hint: mount the proc file system on /proc\n",
    });
  });

  test("where no memory may be writable and executable (Linux 6.3)", async () => {
    const source = `import { dlopen, ptr } from "bun:ffi";
      const { prctl, execv } = dlopen("libc.so.6", {
        prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
        execv: { args: ["ptr", "ptr"], returns: "i32" } }).symbols;
      const words = [${JSON.stringify(NSPIN)}, "--version"].map((word) => Buffer.from(word + "\\0"));
      const argv = new BigUint64Array([...words.map((word) => BigInt(ptr(word))), 0n]);
      const PR_SET_MDWE = 65;
      if (prctl(PR_SET_MDWE, 1, 0, 0, 0) === 0) execv(words[0], argv);
      throw new Error("no MDWE");`;
    expect(await start([process.execPath, "-e", source])).toMatchObject({
      status: 125,
      stderr:
        "nspin: cannot map 1 GiB of memory writable and executable: Permission denied (EACCES)\n" +
        "nspin: hint: the runtime compiles JavaScript: start it without MemoryDenyWriteExecute=\n",
    });
  });

  test.each([
    ["0", "the process may not map more memory"],
    [
      "2",
      "the sysctl vm.overcommit_memory=2 counts it, used or not: allow more, or start what 'nspin bake' writes, without it",
    ],
  ])("where there is no memory for it, with vm.overcommit_memory=%s", async (mode, hint) => {
    const file = join(directory, "overcommit");
    writeFileSync(file, `${mode}\n`);
    const trace = join(directory, "trace");
    await start(["strace", "-qq", "-o", trace, "-e", "trace=mmap", NSPIN, "--version"]);
    const number =
      readFileSync(trace, "utf8")
        .split("\n")
        .findIndex((line) => line.includes(`, ${1 << 30}, `)) + 1;
    const inject = `strace -f -qq -o /dev/null -e inject=mmap:error=ENOMEM:when=${number} ${NSPIN} --version`;
    const script = `mount --bind ${file} /proc/sys/vm/overcommit_memory && exec ${inject}`;
    expect(await start(["unshare", "--mount", "sh", "-c", script])).toMatchObject({
      status: 125,
      stderr:
        "nspin: cannot map 1 GiB of memory writable and executable: Cannot allocate memory (ENOMEM)\n" +
        `nspin: hint: ${hint}\n`,
    });
  });

  test("with SIGPWR ignored, JavaScriptCore's own signal", async () => {
    const script = "trap '' PWR; exec \"$@\"";
    const from = (words: string[]) => start(["bash", "-c", script, "bash", ...words]);
    const ignored = ["grep", "SigIgn", "/proc/self/status"];
    expect((await from([UNGUARDED, "--version"])).stderr).toContain("signal 30");
    expect(await from([NSPIN, ...setns, ...ignored])).toMatchObject({
      stdout: (await from(ignored)).stdout,
      stderr: "",
    });
  });
});

// The table in ffi/started.h, L(name, least).
const limits = [...readFileSync("ffi/started.h", "utf8").matchAll(/L\((\w+), (\d+)(?:ULL << (\d+))?\)/g)].map(
  ([, name, number, shift]) => [name as string, Number(number) * 2 ** Number(shift ?? 0)] as const,
);
/** Too low for the runtime, enough for a program. */
const low: Record<string, number> = { AS: 256 << 20, DATA: 16 << 20, STACK: 64 << 10, NOFILE: 5 };

// A hard limit may be raised with CAP_SYS_RESOURCE, which not every container's root has.
const CAP_SYS_RESOURCE = 24n;
const capabilities = /^CapEff:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
const mayRaise = ((BigInt(`0x${capabilities}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;

describe.each(limits)("RLIMIT_%s, least %d", (name, least) => {
  const seen = ["grep", "^Max", "/proc/self/limits"];
  const prlimit = (soft: number, hard: number | "", words: string[]) =>
    start(["prlimit", `--${name.toLowerCase()}=${soft}:${hard}`, ...words]);

  test("the least is enough, soft and hard", async () => {
    const run = await prlimit(least, least, [NSPIN, ...setns, ...seen]);
    expect(run).toMatchObject({ status: 0, stdout: (await prlimit(least, least, seen)).stdout, stderr: "" });
  });

  test("a lower one is raised until the program starts, which sees it", async () => {
    const soft = low[name] as number;
    const { status } = await prlimit(soft, "", [UNGUARDED, ...setns, "true"]);
    expect(status === 0).toBe(name === "NOFILE"); // which Bun raises itself
    for (const hard of mayRaise ? (["", soft] as const) : ([""] as const)) {
      const run = await prlimit(soft, hard, [NSPIN, ...setns, ...seen]);
      expect(run).toMatchObject({ status: 0, stdout: (await prlimit(soft, hard, seen)).stdout, stderr: "" });
    }
  });

  test("one that may not be raised is said", async () => {
    const soft = low[name] as number;
    expect(await prlimit(soft, soft, [...without("sys_resource"), NSPIN, "--version"])).toMatchObject({
      status: 125,
      stderr:
        `nspin: cannot raise RLIMIT_${name} to ${least}: Operation not permitted (EPERM)\n` +
        "nspin: hint: the runtime does not start with less\n",
    });
  });

  test("a program that cannot be executed is still reported", async () => {
    const busy = join(directory, `busy-${name}`);
    writeFileSync(busy, readFileSync("/bin/true"), { mode: 0o755 });
    const run = ["bash", "-c", 'exec 4>>"$0"; exec "$@"', busy, NSPIN, ...setns, busy];
    expect(await prlimit(low[name] as number, "", run)).toMatchObject({
      status: 126,
      stderr: `nspin: cannot execute ${busy}: Text file busy (ETXTBSY)\n`,
    });
  });
});
