// Hosts that are no whole machines: a / that is not shared (a container, a
// sandboxed systemd unit), and a chroot(2) into a directory.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { basename, dirname } from "node:path";
import { $, which } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { files } from "./hello-and-world.ts";
import { enterBy, entries, start } from "./start.ts";

const { directory, hello, world } = files();
const run = [NSPIN, "run", "-v", "--steps", "--bind", `${world}:${hello}`, "--", "cat", hello];

test.each([
  [
    "private",
    "mounts made on / by the host do not reach the program, and the program's do not reach the host",
  ],
  ["slave", "mounts from its master reach the program; those that the program makes on / reach no one"],
])(
  "a / that is %s: the program sees its file, and -v says what cannot propagate",
  async (propagation, why) => {
    const seen = await start(["unshare", "--mount", "--propagation", propagation, ...run]);
    expect(seen).toMatchObject({ status: 0, stdout: "WORLD\n" });
    const lines = seen.stderr.trim().split("\n");
    expect(lines).toContain(`nspin: note: / is ${propagation === "slave" ? "a slave" : "private"}: ${why}`);
    expect(seen.stderr).toMatch(/use method cover on .*: the mount that holds it is not shared/);
  },
);

describe.each(entries)("by %s", (entry) => {
  const bind = ["--bind", `${world}:${hello}`];
  const words = [...enterBy(entry, bind), "cat", hello];

  // Where the thread's id here is another's there: 1, the container's first process.
  test("in a PID namespace, with the /proc of the outer one", async () => {
    const seen = await start(["unshare", "--pid", "--fork", "--propagation", "unchanged", ...words]);
    expect(seen).toMatchObject({ status: 0, stdout: "WORLD\n", stderr: "" });
    await start([NSPIN, "unpin", hello]);
  });

  test("in a user namespace, whose mounts may be locked to their places, auto pins", async () => {
    const link = `${directory}/link`;
    const onLink = [...enterBy(entry, ["--bind", `${world}:${link}`]), "cat", link];
    const script = `mount --make-rshared / && ln -sfn HELLO ${link} && ${onLink.join(" ")}`;
    const own = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"];
    const seen = await start([...own, "sh", "-c", `${script} && grep -c ' ${link} ' /proc/self/mountinfo`]);
    const warning = expect.stringMatching(/^nspin: warning: \/ is no peer of the host's .*\n$/);
    expect(seen).toMatchObject({ status: 0, stdout: "WORLD\n1\n", stderr: warning });
    if (entry === "launcher") return;
    const told = await start([...own, "sh", "-c", script.replace("--enter", "--dry-run --steps --enter")]);
    expect(told.stdout).toMatch(/use method pin on .*: in a user namespace/);
  });
});

describe("a chroot into a directory, where the root of the mount cannot be reached", () => {
  const root = `${directory}/root`;
  const inside = [which("chroot") ?? "", root, "/bin/nspin", "run", "--bind", "/WORLD:/HELLO"];
  beforeAll(async () => {
    await installPrograms(root, ["sh", "cat", "nsenter", NSPIN]);
    await $`mkdir ${root}/proc ${root}/run && cp ${hello} ${world} ${root} && mount -t proc proc ${root}/proc`;
  });
  afterAll(() => $`umount ${root}/HELLO && umount ${root}/proc`.then(() => {}));

  test("rejoin is refused, with the reason", async () => {
    expect(await start([...inside, "--method", "rejoin", "cat", "/HELLO"])).toMatchObject({
      status: 125,
      stdout: "",
      stderr:
        "nspin: cannot use method rejoin on /HELLO: Operation not supported (EOPNOTSUPP)\n" +
        "nspin: hint: the root of the mount that holds it is covered, or outside of this root\n",
    });
  });
  test.each(["nsenter", "setns"])("--enter %s pins", async (mode) => {
    const words = [...inside, "--enter", mode, "sh", "-c", "cat /HELLO"];
    expect(await start(words)).toMatchObject({ status: 0, stdout: "WORLD\n", stderr: "" });
    expect(await Bun.file(`${root}/HELLO`).text()).toBe("HELLO\n");
  });

  test("nsenter is missing, wherever PATH leads", async () => {
    await $`mkdir ${root}/own && mv ${root}/bin/nsenter ${root}/own/`;
    expect(await start([...inside, "true"], { env: { PATH: "/own:/bin" } })).toMatchObject({
      status: 125,
      stderr:
        "nspin: cannot find /usr/bin/nsenter: No such file or directory (ENOENT)\n" +
        "nspin: hint: install util-linux; --enter setns needs no nsenter\n",
    });
  });
});

/** Copies each program, a name on PATH or a path, to bin/ (and so usr/bin/) below root, and its libraries to where they are. */
async function installPrograms(root: string, programs: readonly string[]): Promise<void> {
  await $`mkdir -p ${root}/bin ${root}/usr && ln -sfn ../bin ${root}/usr/bin`;
  for (const program of programs) {
    const file = program.includes("/") ? program : which(program);
    if (file === null) throw new Error(`cannot find ${program}`);
    await $`cp -L ${file} ${root}/bin/${basename(program)}`;
    for (const [library] of (await $`ldd ${file}`.text()).matchAll(/\/\S+\.so\S*/g)) {
      await $`mkdir -p ${root}${dirname(library)} && cp -L ${library} ${root}${library}`;
    }
  }
}
