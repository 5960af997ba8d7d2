// The program cannot tell that nspin was there.
import { describe, expect, test } from "bun:test";
import { files, NSPIN, start } from "./nspin.ts";

const { directory, hello, world } = files();
const bind = ["--bind", `${world}:${hello}`];

describe.each(["nsenter", "setns"])("--enter %s", (mode) => {
  const run = [NSPIN, "run", ...bind, "--enter", mode, "--"];
  /** The same script, started directly and by nspin. */
  const both = async (script: string, setup = ":") => {
    const from = (prefix: string[]) =>
      start(["bash", "-c", `${setup}; exec "$@"`, "bash", ...prefix, "bash", "-c", script], {
        cwd: directory,
      });
    return [await from([]), await from(run)] as const;
  };

  test("pid and cwd are its own", async () => {
    const seen = await start([...run, "sh", "-c", "echo $$; pwd"], { cwd: directory });
    expect(seen.stdout).toBe(`${seen.pid}\n${directory}\n`);
  });

  test("arguments byte for byte", async () => {
    const words = `"a b" "" "$(printf 'a\\377b')" "$(printf 'x\\ny')" -- --netns`;
    const command = `bash -c 'printf "%s|" "$@" | od -c' bash ${words}`;
    const direct = await start(["bash", "-c", command]);
    const ours = await start(["bash", "-c", `${run.join(" ")} ${command}`]);
    expect(ours.stdout).toBe(direct.stdout);
    expect(ours.stdout).toContain("377");
  });

  test.each([
    ["signals", "grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status", ":"],
    [
      "descriptors",
      "ls -l /proc/self/fd | awk '{print $9, $11}' | grep -v fd$ | grep -v -E 'pipe:|socket:' | sort",
      "exec 4</dev/null 7</etc/passwd 9</dev/zero",
    ],
    ["soft limits", "ulimit -Sa", ":"],
    ["umask and nice", "umask; nice", "umask 027; renice -n 5 $$ >/dev/null"],
    ["environment", "sort -z /proc/self/environ | grep -azv ^_= | od -c", "export ODD=$'a\\xffb' EMPTY="],
    ["O_NONBLOCK of its output", "grep flags /proc/self/fdinfo/1", ":"],
  ])("%s", async (_, script, setup) => {
    const [direct, ours] = await both(script, setup);
    expect(direct.stdout).not.toBe("");
    expect(ours).toMatchObject({ stdout: direct.stdout, stderr: direct.stderr, status: direct.status });
  });

  test("a broken pipe kills it", async () => {
    const seen = await start([
      "bash",
      "-c",
      `${run.join(" ")} yes | head -1 >/dev/null; echo \${PIPESTATUS[0]}`,
    ]);
    expect(seen.stdout).toBe("141\n");
  });

  test("its exit status is its own", async () => {
    expect((await start([...run, "sh", "-c", "exit 42"])).status).toBe(42);
  });
});
