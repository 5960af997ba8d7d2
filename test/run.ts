// Every test level, or one of them, or one file of it; and one line at the end, the sum.
//   bun test/run.ts [LEVEL [NAME]]
// A level is one job, or one for each of its files, which run beside each other. What one prints comes whole
// when it has ended; where there is only one, as it comes.
import { existsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { Glob } from "bun";
import { Jobs } from "./jobs.ts";

const repository = resolve(import.meta.dir, "..");
process.chdir(repository);
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

/** One command, whichever levels need what it makes. */
type SetUp = readonly [title: string, command: string[]];
const release: SetUp = ["release, the build", [bun, "build/release.ts"]];
const debian: SetUp = ["a Debian with systemd", [...ownMounts, "test/kit/debian-root.sh"]];
const ownPackages = (name: string, ...packages: string[]) => [
  "sh",
  "test/kit/own-packages.sh",
  name,
  ...packages,
];
const promtool: SetUp = ["promtool", ownPackages("promtool", "prometheus")];
// With the library of its own version.
const resolved: SetUp = [
  "systemd-resolved",
  ownPackages("resolved", "systemd-resolved", "libsystemd-shared"),
];

class Level {
  /** Of test/LEVEL: the longest first, which would run alone in the end. */
  readonly files: readonly string[];
  readonly #rank: number;

  constructor(readonly level: string) {
    const files = [...new Glob(fileOf(level, name ?? "*")).scanSync()].sort(
      (a, b) => statSync(b).size - statSync(a).size,
    );
    this.files = files.map((file) => `./${file}`); // else bun takes it for a part of a name
    this.#rank = Object.keys(levels).indexOf(level);
  }

  one(title: string, command: string[]) {
    return jobs.one({ title, command, rank: this.#rank });
  }

  suite(title: string, command: string[]) {
    return jobs.suite({ title, command, rank: this.#rank });
  }

  /** command: what runs one file. */
  each(command: (file: string) => string[]) {
    return Promise.all(
      this.files.map((file) => this.suite(`${this.level} ${basename(file, ".test.ts")}`, command(file))),
    );
  }

  async after(...setUps: SetUp[]) {
    await Promise.all(
      setUps.map((setUp) => {
        const [title, command] = setUp;
        const made = done.get(setUp) ?? this.one(title, command);
        done.set(setUp, made);
        return made;
      }),
    );
  }
}
const done = new Map<SetUp, Promise<void>>();

/** In the order in which what is free takes their jobs: first what others wait for, or what takes longest. */
const levels: Record<string, (level: Level) => Promise<unknown>> = {
  lint: (level) => level.one("lint", ["biome", "check", "--error-on-warnings"]),
  shell: (level) => level.one("shell", ["sh", "-c", shells]),
  types: (level) => level.one("types", ["tsc"]),
  format: (level) => level.one("format", ["sh", "-c", sources]),
  unit: (level) => level.suite("unit", [bun, ...tests, ...level.files]),
  async vm(level) {
    await level.after(release, ["Debian's kernels", ["sh", "test/vm/unpack.sh"]]);
    await level.one("what is in the machines", [bun, "test/vm/host.ts"]);
    const guests = [...new Glob("*/[0-9]*/vmlinuz").scanSync("dist/vm")].map(dirname).sort();
    await Promise.all(guests.map((guest) => level.suite(`vm ${guest}`, [bun, "test/vm/boot.ts", guest])));
  },
  async e2e(level) {
    await level.after(debian);
    await level.each((file) => ["sh", "test/e2e/host.sh", hostBun, ...tests, "--bail", file]);
  },
  async boot(level) {
    await level.after(debian);
    await level.each((file) => [bun, ...tests, "--bail", file]);
  },
  async package(level) {
    const root = (suite: string): SetUp => [
      `a Debian ${suite}`,
      [...ownMounts, "test/package/root.sh", suite],
    ];
    await level.after(...["bookworm", "trixie"].map(root));
    await level.each((file) => [bun, ...tests, "--bail", file]);
  },
  async contrib(level) {
    await level.after(debian, promtool, ["Debian's python3-apt", ["sh", "test/contrib/unpack.sh"]]);
    await level.each((file) => [bun, ...tests, "--bail", file]);
  },
  async root(level) {
    await level.after(resolved, promtool);
    if (name === undefined) await level.after(release); // two files look at arm64's
    await level.each((file) => [...container, ...tests, file]);
  },
  async release(level) {
    await level.after(release);
    await level.after(["musl", ["sh", "test/release/unpack.sh"]]); // linked as the release asks for it
    await level.each((file) => [bun, ...tests, file]);
  },
  fuzz: (level) => level.each((file) => [bun, ...tests, file]),
  soak: (level) => level.one("soak", [...container, "test/load/soak.ts", SOAK_LAUNCHES]),
};

/** What mounts. */
const AS_ROOT = ["e2e", "boot", "package", "contrib", "root", "soak"];
/** What is to be seen in milliseconds there, nothing else shall hold up. */
const ALONE = ["soak"];

const chosen = chosenOf().map((level) => new Level(level));
const jobs = new Jobs(chosen.length === 1 && (chosen[0] as Level).files.length < 2);
await Promise.all(chosen.filter(({ level }) => !ALONE.includes(level)).map(run));
for (const level of chosen.filter(({ level }) => ALONE.includes(level))) await run(level);
// Again, where it is found: what is above is some 7,000 lines, of which a CI may keep the last.
for (const failure of jobs.failures) console.log(failure);
console.log(`${jobs.passed} passed, ${jobs.failed} failed`);
process.exit(jobs.failed === 0 ? 0 : 1);

async function run(of: Level): Promise<void> {
  const { level } = of;
  if (!AS_ROOT.includes(level) || process.getuid?.() === 0 || mustRun) await levels[level]?.(of);
  else console.log(`${level}: NOT RUN, it needs root`);
}

function chosenOf(): string[] {
  if (wanted === undefined) return Object.keys(levels);
  if (more.length === 0) {
    if (wanted === "check" && name === undefined) return CHECK;
    if (Object.hasOwn(levels, wanted) && (name === undefined || existsSync(fileOf(wanted, name))))
      return [wanted];
  }
  const words = ["check", ...Object.keys(levels)].join("|");
  console.error(`usage: npm test -- [LEVEL [NAME]], LEVEL: ${words}; NAME: of test/LEVEL/NAME.test.ts`);
  process.exit(2);
}

function fileOf(level: string, name: string): string {
  return `test/${level}/${name}.test.ts`;
}
