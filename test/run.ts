// Every test level, or one of them, or one file of it; and one line at the end, the sum.
//   bun test/run.ts [LEVEL [NAME]]
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const repository = resolve(import.meta.dir, "..");
const bun = process.execPath;
const mustRun = process.env.CI === "true";
const tests = ["test", "--timeout", "120000"]; // Bun 1.4.5 does not heed that of bunfig.toml

const hostBun = "node_modules/.bin/bun"; // where the repository is /nspin

// nsenter, mounts and dnsmasq for real, in a container: this machine's own mounts
// are out of reach.
const container = [
  ...["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "--rm", "--privileged"],
  ...["--network", "none", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=30000:30000"],
  ...["--pids-limit", "30000"],
  ...["--volume", `${repository}:/nspin:ro`, "--workdir", "/nspin", "--rootfs", "/:O"],
  ...["sh", "test/shared-root.sh", hostBun],
];
const ownMounts = ["sh", "test/kit/own-mounts.sh", "sh"]; // for debootstrap
const SOAK_LAUNCHES = "50000";

const [wanted, name, ...more] = process.argv.slice(2);
const shells =
  "git ls-files '*.sh' .ci/run test/vm/init units/nspin-netns | xargs shellcheck --shell=sh --severity=warning";
const sources = "git ls-files '*.[ch]' | xargs clang-format --dry-run --Werror";

/** What a newcomer runs after each change: no privilege, a few seconds. */
const CHECK = ["lint", "shell", "types", "format", "unit"];

/** Each takes what `bun test` shall run. */
const levels: Record<string, (files: string) => Promise<void>> = {
  lint: () => one("lint", ["biome", "check", "--error-on-warnings"]),
  shell: () => one("shell", ["sh", "-c", shells]),
  types: () => one("types", ["tsc"]),
  format: () => one("format", ["sh", "-c", sources]),
  unit: (files) => suite("unit", [bun, ...tests, files]),
  fuzz: (files) => suite("fuzz", [bun, ...tests, files]),
  async release(files) {
    await one("release, the build", [bun, "build/release.ts"]);
    const unpacked = `sh test/release/unpack.sh >&2 && ${bun} ${tests.join(" ")} ${files}`;
    await suite("release", ["sh", "-c", unpacked]);
  },
  async root(files) {
    if (!mayMount("root")) return;
    await one("systemd-resolved", ["sh", "test/resolved/unpack.sh"]);
    await one("promtool", ["sh", "test/root/promtool.sh"]);
    await suite("root", [...container, ...tests, files]);
  },
  async e2e(files) {
    if (!mayMount("e2e")) return;
    await one("a Debian with systemd", [...ownMounts, "test/kit/debian-root.sh"]);
    await suite("e2e", ["sh", "test/e2e/host.sh", hostBun, ...tests, "--bail", files]);
  },
  async boot(files) {
    if (!mayMount("boot")) return;
    await one("a Debian with systemd", [...ownMounts, "test/kit/debian-root.sh"]);
    await suite("boot", [bun, ...tests, "--bail", files]);
  },
  async contrib(files) {
    if (!mayMount("contrib")) return;
    await one("a Debian with systemd", [...ownMounts, "test/kit/debian-root.sh"]);
    await one("promtool", ["sh", "test/root/promtool.sh"]);
    await one("Debian's python3-apt", ["sh", "test/contrib/unpack.sh"]);
    await suite("contrib", [bun, ...tests, "--bail", files]);
  },
  async package(files) {
    if (!mayMount("package")) return;
    for (const name of ["bookworm", "trixie"])
      await one(`a Debian ${name}`, [...ownMounts, "test/package/root.sh", name]);
    await suite("package", [bun, ...tests, "--bail", files]);
  },
  async soak() {
    if (mayMount("soak")) await one("soak", [...container, "test/load/soak.ts", SOAK_LAUNCHES]);
  },
  vm: () => suite("vm", ["sh", "-c", `sh test/vm/unpack.sh >&2 && ${bun} test/vm/boot.ts`]),
};

let passed = 0;
let failed = 0;

for (const level of chosen()) await levels[level]?.(filesOf(level));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function chosen(): string[] {
  if (wanted === undefined) return Object.keys(levels);
  if (more.length === 0) {
    if (wanted === "check" && name === undefined) return CHECK;
    if (Object.hasOwn(levels, wanted) && (name === undefined || existsSync(filesOf(wanted)))) return [wanted];
  }
  const words = ["check", ...Object.keys(levels)].join("|");
  console.error(`usage: npm test -- [LEVEL [NAME]], LEVEL: ${words}; NAME: of test/LEVEL/NAME.test.ts`);
  process.exit(2);
}

function filesOf(level: string): string {
  return name === undefined ? `./test/${level}` : `./test/${level}/${name}.test.ts`;
}

function mayMount(level: string): boolean {
  const may = process.getuid?.() === 0 || mustRun;
  if (!may) console.log(`${level}: NOT RUN, it needs root`);
  return may;
}

/** What the command prints is passed on as it comes. */
async function run(title: string, command: string[]) {
  console.log(`--- ${title}`);
  const child = Bun.spawn(command, { cwd: repository, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [, stderr, status] = await Promise.all([passOn(child.stdout), passOn(child.stderr), child.exited]);
  return { stderr, ok: status === 0 };
}

async function passOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const chunk of stream) {
    process.stdout.write(chunk);
    all += decoder.decode(chunk, { stream: true });
  }
  return all;
}

async function one(title: string, command: string[]): Promise<void> {
  const { ok } = await run(title, command);
  ok ? passed++ : failed++;
}

/** A level that cannot start, or skips, or ends oddly, has failed. */
async function suite(title: string, command: string[]): Promise<void> {
  const { stderr, ok } = await run(title, command);
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(stderr)?.[1] ?? 0);
  const bad = count("fail") + count("skip") + count("todo");
  passed += count("pass");
  failed += bad > 0 ? bad : ok && count("pass") > 0 ? 0 : 1;
}
