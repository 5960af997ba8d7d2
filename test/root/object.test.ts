// dist/nspin.so: what it is, how it gets into a process, and that others than nspin
// can use it.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { FUNCTIONS } from "../../src/library.ts";
import { NSPIN } from "../kit/nspin.ts";
import { until } from "../kit/until.ts";
import { files } from "./hello-and-world.ts";
import { start } from "./start.ts";

const { directory, hello, world } = files();
const bind = ["--bind", `${world}:${hello}`];
const run = [NSPIN, "run", ...bind, "--enter", "setns", "--"];
afterAll(() => $`${NSPIN} unpin ${hello}`.then(() => {}));
const exported = Object.keys(FUNCTIONS).sort();

/** The system calls of the thread-group leader, in order. */
async function trace(command: string[], strace: string[] = []) {
  const file = `${mkdtempSync("/tmp/nspin-trace-")}/trace`;
  const seen = await start(["strace", "-f", "-qq", "-o", file, ...strace, ...command]);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const leader = lines[0]?.split(" ")[0];
  const calls = lines
    .filter((line) => line.startsWith(`${leader} `))
    .map((line) => line.replace(/^\d+ +/, ""));
  return { ...seen, calls };
}

describe.each(["dist/nspin.so", "dist/arm64/nspin.so"])("%s", (file) => {
  const readelf = (...flags: string[]) => $`readelf --wide ${flags} ${file}`.text();

  test("exports these functions, and needs nothing", async () => {
    const symbols = (await readelf("--dyn-syms")).split("\n").filter((line) => / (FUNC|OBJECT) /.test(line));
    expect(symbols.map((line) => line.split(/\s+/).at(-1)).sort()).toEqual(exported);
    expect(await readelf("--relocs")).toBe("\nThere are no relocations in this file.\n");
    expect(await readelf("--dynamic")).not.toMatch(/NEEDED|INIT|REL|TEXTREL/);
    for (const document of ["docs/object.md", "docs/how-it-works.md"])
      expect(readFileSync(document, "utf8")).toMatch(/shared object of\sless than 32 KiB/);
    expect(statSync(file).size).toBeLessThan(32 << 10);
  });

  test("nothing in it is writable and executable", async () => {
    const segments = (await readelf("--segments"))
      .split("\n")
      .filter((line) => /^ +(LOAD|GNU_STACK) /.test(line));
    expect(segments.map((line) => /0x\w+ ([R ][W ][E ]) +0x\w+$/.exec(line)?.[1])).toEqual([
      "R E",
      "RW ",
      "RW ",
    ]);
  });
});

test("a start: a sealed memfd, loaded by its descriptor, and the program, which has none of it", async () => {
  const { calls, ...seen } = await trace([...run, "ls", "/proc/self/fd"]);
  expect(seen).toMatchObject({
    status: 0,
    stdout: (await start(["ls", "/proc/self/fd"])).stdout,
    stderr: "",
  });
  const find = (pattern: RegExp) => {
    const at = calls.findIndex((line) => pattern.test(line));
    expect({ pattern, at }).not.toEqual({ pattern, at: -1 });
    return at;
  };
  const made = find(/^memfd_create\("nspin", MFD_CLOEXEC\|MFD_ALLOW_SEALING/);
  const fd = calls[made]?.match(/= (\d+)$/)?.[1];
  const order = [
    made,
    find(new RegExp(`^write\\(${fd}, .* = ${statSync("dist/nspin.so").size}$`)),
    find(
      new RegExp(
        `^fcntl\\(${fd}, F_ADD_SEALS, F_SEAL_SEAL\\|F_SEAL_SHRINK\\|F_SEAL_GROW\\|F_SEAL_WRITE\\) = 0`,
      ),
    ),
    find(/^close_range\(/), // Bun's first
    find(new RegExp(`^openat\\(AT_FDCWD, "/proc/self/fd/${fd}", O_RDONLY\\|O_CLOEXEC\\) = \\d`)),
    find(/^execve\("\/usr\/bin\/ls"/),
  ];
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(calls.filter((line) => line.includes('"/tmp/'))).toEqual(
    calls.filter((line) => line.includes(directory)),
  );
});

test("it is the very file, and no one can write it", async () => {
  const stdio = ["ignore", "ignore", "ignore"] as const;
  const lasting = Bun.spawn([NSPIN, "selftest", "--count", "1000000"], { stdio: [...stdio] });
  const find = async () =>
    (await $`find /proc/${lasting.pid}/fd -lname '/memfd:nspin*'`.nothrow().quiet().text()).trim();
  try {
    // Before its first child it may still be writing and sealing.
    const children = () => readFileSync(`/proc/${lasting.pid}/task/${lasting.pid}/children`, "utf8");
    await until(async () => children() !== "");
    const path = await find();
    expect(readFileSync(path).equals(readFileSync("dist/nspin.so"))).toBeTrue();
    expect(() => writeFileSync(path, "x", { flag: "r+" })).toThrow("EPERM");
  } finally {
    lasting.kill("SIGTERM");
    await lasting.exited;
  }
});

test.each(["0<&-", "0<&- 1>&-", "0<&- 3</dev/null"])(
  "with %s, it takes no place of stdio or what is inherited",
  async (how) => {
    const look = "ls /proc/self/fd >&2";
    const from = (words: string[]) =>
      start(["bash", "-c", `exec "$@" ${how}`, "bash", ...words, "sh", "-c", look]);
    const direct = await from([]);
    expect(await from(run)).toMatchObject({
      status: direct.status,
      stdout: direct.stdout,
      stderr: direct.stderr,
    });
  },
);

describe("where the host refuses an executable memfd, the object is called where the binary has it", () => {
  // The first is a PID namespace's own, Linux 6.3.
  const sysctl = 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"';
  const refuse = (call: string, error: string) => ["-e", `inject=${call}:error=${error}:when=1`];
  test.each([
    ["vm.memfd_noexec=2", ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", sysctl, "sh"], []],
    ["a seccomp profile", [], refuse("memfd_create", "EPERM")],
    ["no room", [], refuse("write", "ENOSPC")],
    ["no file may grow", ["prlimit", "--fsize=0:0"], []],
  ])("%s", async (_, prefix, injection) => {
    const traced = ["strace", "-f", "-qq", "-o", `${directory}/trace`, ...injection];
    for (const mode of ["setns", "nsenter"]) {
      const words = [...run.slice(0, -2), mode, "--", "cat", hello];
      const quiet = prefix[0] === "prlimit" ? [] : traced; // strace's own file may not grow either
      const seen = await start([...prefix, ...quiet, ...words]);
      expect(seen).toMatchObject({ status: 0, stdout: "WORLD\n", stderr: "" });
      if (quiet.length === 0) continue;
      const calls = readFileSync(`${directory}/trace`, "utf8");
      expect(calls).toMatch(/ (memfd_create\("nspin"|write\(3, "\\177ELF).* = -1 E/);
      expect(calls).not.toMatch(
        /openat\(AT_FDCWD, "\/proc\/self\/fd\/\d+", O_RDONLY\|O_CLOEXEC\) = \d+\n.* read\(/,
      );
    }
  });
});

describe("from source", () => {
  const source = [process.execPath, "src/main.ts", "run", ...bind];

  test.each(["nsenter", "setns"])("--enter %s starts the program, and says what is missing", async (mode) => {
    const words = [...source, "--enter", mode, "--", "sh", "-c", 'cat "$0"; printf %s "$1"', hello, "a  b"];
    expect(await start(words)).toMatchObject({
      status: 0,
      stdout: "WORLD\na  b",
      stderr: expect.stringMatching(/^nspin: note: run from source, without the entry guard: [^\n]*\n$/),
    });
  });

  test("--dry-run prints what the binary prints", async () => {
    // Where the keeper's code is, only the guard knows.
    const [ours, binary] = [source, [NSPIN, "run", ...bind]].map((words) =>
      start([...words, "--no-keep", "--dry-run", "--steps", "true"]),
    );
    const { status, stdout } = await (binary as ReturnType<typeof start>);
    expect(await ours).toMatchObject({ status, stdout, stderr: "" });
  });
});

describe("the examples of docs/object.md", () => {
  const text = readFileSync("docs/object.md", "utf8");
  const example = (language: string) => {
    const file = `${directory}/example.${language === "c" ? "c" : "py"}`;
    writeFileSync(file, new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(text)?.[1] as string);
    return file;
  };
  const command = async (language: string) => {
    if (language === "python") return ["python3", example(language)];
    await $`cc -Wall -Wextra -Werror -I. ${example(language)} dist/nspin.so -Wl,-rpath,dist -o ${directory}/example`;
    return [`${directory}/example`];
  };

  test.each(["python", "c"])("%s", async (language) => {
    const words = await command(language);
    const env = { PATH: process.env.PATH ?? "", ODD: "a b" };
    const seen = await start([...words, world, hello, "sh", "-c", 'cat "$0"; echo "$ODD"', hello], { env });
    expect(seen).toMatchObject({ status: 0, stdout: "WORLD\na b\n", stderr: "" });
    expect(readFileSync(hello, "utf8")).toBe("HELLO\n");
    expect(await start([...words, world, hello, "/nonexistent"], { env })).toMatchObject({
      status: 127,
      stderr: "nspin: cannot find /nonexistent: No such file or directory (ENOENT)\n",
    });
  });
});
