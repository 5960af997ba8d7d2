import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HOST_ANSWER, makeHost, NAME, TASK_ANSWER } from "../kit/answers.ts";
import { mountTable } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { until } from "../kit/until.ts";
import { enterBy, entries, start } from "./start.ts";

const ID = "task";
let end: () => Promise<void>;
beforeAll(async () => {
  end = await makeHost(ID);
});
afterAll(() => end());

describe.each(entries)("by %s", (entry) => {
  test("the program asks the network namespace's DNS server, the host its own", async () => {
    const program = await start([...enterBy(entry, ["--netns", ID]), "getent", "hosts", NAME]);
    const host = await start(["getent", "hosts", NAME]);
    expect(program).toMatchObject({ status: 0, stderr: "" });
    expect(program.stdout).toContain(TASK_ANSWER);
    expect(host.stdout).toContain(HOST_ANSWER);
  });

  test("a netns by path and by pid", async () => {
    const bind = ["--bind", `/etc/netns/${ID}/resolv.conf:/etc/resolv.conf`];
    const holder = Bun.spawn(["ip", "netns", "exec", ID, "sleep", "60"]);
    await Bun.sleep(200);
    const netns = entry === "launcher" ? `/proc/${holder.pid}/ns/net` : `pid:${holder.pid}`;
    for (const id of [`/run/netns/${ID}`, netns]) {
      const words = [...enterBy(entry, ["--netns", id, ...bind]), "getent", "hosts", NAME];
      expect((await start(words)).stdout).toContain(TASK_ANSWER);
    }
    holder.kill();
    await holder.exited;
  });

  test("without covers the mounts stay the host's", async () => {
    const words = [...enterBy(entry, ["--netns", ID, "--no-etc"]), "readlink", "/proc/self/ns/mnt"];
    expect((await start(words)).stdout).toBe((await start(["readlink", "/proc/self/ns/mnt"])).stdout);
  });

  test("64 at once, 5000 in all: none wrong, and nothing left", async () => {
    const before = mountTable();
    let left = 5000;
    const wrong: string[] = [];
    const words = [...enterBy(entry, ["--netns", ID]), "cat", "/etc/resolv.conf"];
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        while (left-- > 0) {
          const run = await start(words);
          if (run.stdout !== "nameserver 127.0.0.253\n")
            wrong.push(`${run.status} ${run.stdout}${run.stderr}`);
        }
      }),
    );
    expect(wrong).toEqual([]);
    expect(mountTable()).toEqual(before);
    expect((await start(["getent", "hosts", NAME])).stdout).toContain(HOST_ANSWER);
  }, 300_000);
});

test("a mount made by the program reaches the host, and one by the host the program", async () => {
  const script = "mkdir -p /tmp/shared && mount -t tmpfs inner /tmp/shared && cat && ls /tmp/shared/outer";
  const program = Bun.spawn([NSPIN, "run", "--netns", ID, "sh", "-c", script], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  await until(async () => mountTable().some((line) => line.includes(" /tmp/shared ")));
  await start(["mkdir", "/tmp/shared/outer"]);
  await start(["mount", "-t", "tmpfs", "outer", "/tmp/shared/outer"]);
  await Bun.write("/tmp/shared/outer/seen", "");
  await program.stdin.end();
  expect(await program.stdout.text()).toBe("seen\n");
  await start(["umount", "-R", "/tmp/shared"]);
});
