// The arm64 binary, run by qemu-user with Debian's cross libc in this container:
// its guard, its sequence and each way of entering. A real kernel: test/vm.
import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { resolve } from "node:path";
import { $ } from "bun";
import { version } from "../../package.json";
import { files } from "./hello-and-world.ts";
import { start } from "./start.ts";

const NSPIN = resolve(import.meta.dir, "../../dist/arm64/nspin");
const { directory, hello, world } = files();
setDefaultTimeout(60_000); // an emulated start takes a second, where nothing else runs

beforeAll(async () => {
  const from = "/usr/aarch64-linux-gnu/lib";
  await $`mkdir -p /lib/aarch64-linux-gnu && cp ${from}/ld-linux-aarch64.so.1 /lib`;
  await $`cp ${from}/libc.so.6 ${from}/libdl.so.2 ${from}/libm.so.6 ${from}/libpthread.so.0 /lib/aarch64-linux-gnu`;
});

test.each([
  { BUN_BE_BUN: "1" },
  { BUN_OPTIONS: "--help" },
  { BUN_INSPECT: "ws://127.0.0.1:6499/x?wait=1" },
  { BUN_JSC_useJIT: "0" },
])("%o changes nothing", async (env) => {
  const printed = `nspin ${version} (Bun ${Bun.version}, linux-arm64)\n`;
  const quiet = await start(["qemu-aarch64", NSPIN, "--version"], { env: { PATH: process.env.PATH ?? "" } });
  expect(quiet).toMatchObject({ status: 0, stdout: printed, stderr: "" });
  const seen = await start(["qemu-aarch64", NSPIN, "--version"], { env: { ...process.env, ...env } });
  expect(seen).toMatchObject({ status: 0, stdout: printed, stderr: "" });
});

const bind = ["--bind", `${world}:${hello}`];
const launcher = `${directory}/launcher`;
// Of ignored signals, qemu-user passes on only those that are set again: by nspin, not HUP, for example;
// by a launcher, none.
const commands: [string, string, string[]][] = [
  ["--enter setns", "trap '' PIPE", [NSPIN, "run", ...bind, "--enter", "setns", "--"]],
  ["--enter nsenter", "trap '' PIPE", [NSPIN, "run", ...bind, "--enter", "nsenter", "--"]],
  ["a launcher baked on this machine", ":", [launcher]],
];

test.each(commands)("%s: the program has what it would have without nspin", async (_, ignore, command) => {
  await $`dist/nspin bake ${bind} --arch arm64 -o ${launcher}`;
  const set = `${ignore}; ulimit -Sn 777; exec 7</dev/null; umask 027; export BUN_BE_BUN=1 ODD=$'a\\xff'`;
  const look =
    "grep -E 'SigIgn|SigBlk' /proc/self/status; ulimit -Sa; umask; env | grep -aE '^(BUN|ODD)'; ls /proc/self/fd";
  const from = (prefix: string[]) =>
    start(["bash", "-c", `${set}; exec "$@"`, "bash", ...prefix, "bash", "-c", `cat HELLO; ${look}`], {
      cwd: directory,
    });
  const direct = await from([]);
  const ours = await from(["qemu-aarch64", ...command]);
  expect(ours).toMatchObject({ status: 0, stderr: "", stdout: direct.stdout.replace("HELLO", "WORLD") });
});

test("where the memfd is refused, the object is called where the binary has it", async () => {
  const trace = `${directory}/trace`;
  // The first only: qemu-user makes some of its own.
  const refused = ["strace", "-f", "-qq", "-o", trace, "-e", "inject=memfd_create:error=EPERM:when=1"];
  const words = [NSPIN, "run", ...bind, "--enter", "setns", "--", "cat", hello];
  expect(await start([...refused, "qemu-aarch64", ...words])).toMatchObject({
    status: 0,
    stdout: "WORLD\n",
    stderr: "",
  });
  expect(await Bun.file(trace).text()).toMatch(/memfd_create\("nspin", .* EPERM .*\(INJECTED\)/);
});
