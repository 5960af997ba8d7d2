// Every test level, and one line at the end: the sum over all of them.
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
  ...["--volume", `${repository}:/nspin:ro`, "--workdir", "/nspin", "--rootfs", "/:O"],
  ...["sh", "test/shared-root.sh", hostBun],
];
const SOAK_LAUNCHES = "3000";

let passed = 0;
let failed = 0;

await one("lint", ["biome", "check", "--error-on-warnings"]);
await one("types", ["tsc"]);
await one("format", ["sh", "-c", "git ls-files '*.[ch]' | xargs clang-format --dry-run --Werror"]);
await suite("unit", [bun, ...tests, "./test/unit"]);
await suite("fuzz", [bun, ...tests, "./test/fuzz"]);
await one("release, the build", [bun, "build/release.ts"]);
await suite("release", [
  "sh",
  "-c",
  `sh test/release/unpack.sh >&2 && ${bun} ${tests.join(" ")} ./test/release`,
]);
if (process.getuid?.() === 0 || mustRun) {
  await one("systemd-resolved", ["sh", "test/resolved/unpack.sh"]);
  await suite("root", [...container, ...tests, "./test/root"]);
  await one("a Debian with systemd", ["sh", "test/e2e/root.sh"]);
  await suite("e2e", ["sh", "test/e2e/host.sh", hostBun, ...tests, "--bail", "./test/e2e"]);
  await suite("boot", [bun, ...tests, "--bail", "./test/boot"]);
  await one("soak", [...container, "test/load/soak.ts", SOAK_LAUNCHES]);
} else console.log("root: NOT RUN, it needs root");
await suite("vm", ["sh", "-c", `sh test/vm/unpack.sh >&2 && ${bun} test/vm/boot.ts`]);

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function run(name: string, command: string[]) {
  console.log(`--- ${name}`);
  const child = Bun.spawn(command, { cwd: repository, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  console.log(`${stdout}${stderr}`.trim());
  return { stderr, ok: status === 0 };
}

async function one(name: string, command: string[]): Promise<void> {
  const { ok } = await run(name, command);
  ok ? passed++ : failed++;
}

/** A level that cannot start, or skips, or ends oddly, has failed. */
async function suite(name: string, command: string[]): Promise<void> {
  const { stderr, ok } = await run(name, command);
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(stderr)?.[1] ?? 0);
  const bad = count("fail") + count("skip") + count("todo");
  passed += count("pass");
  failed += bad > 0 ? bad : ok && count("pass") > 0 ? 0 : 1;
}
