// nspin check: each finding is made for real, and mended as it says.
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { $ } from "bun";
import { keepersOf } from "../kit/keepers.ts";
import { lines } from "../kit/lines.ts";
import { NSPIN } from "../kit/nspin.ts";
import type { Program } from "../kit/program.ts";
import { until } from "../kit/until.ts";
import { compile } from "./compile.ts";
import { AS_NOBODY, nspin, start, without } from "./start.ts";
import { begin, endPrograms, fileOf, json, replace, withTasks } from "./tasks.ts";

const IDS = ["task1", "task2"];
const [ID, OTHER] = IDS as [string, string];

withTasks(IDS);

const run = (options: readonly string[] = [], ...words: string[]) =>
  begin([NSPIN, "run", "--netns", ID, ...options, "--", ...words]);

/** With its keeper, which has come to rest. */
async function runKept(...options: string[]): Promise<Program> {
  const program = await run(options);
  await until(async () => keepersOf(program.pid).length === 1);
  return program;
}

/** Exactly these findings, in all three forms. */
async function finds(...kinds: string[]): Promise<string> {
  const { printed, status } = await json("check");
  expect(printed.findings.map(({ kind }: { kind: string }) => kind)).toEqual(kinds);
  const lines = await nspin(["check"]);
  expect([status, lines.status, lines.stderr]).toEqual([kinds.length === 0 ? 0 : 1, status, ""]);
  expect(
    lines.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split(": ")[1]),
  ).toEqual(kinds);
  const metrics = (await nspin(["check", "--prometheus"])).stdout;
  const counted = metrics.matchAll(/^nspin_findings\{kind="(.*)"\} ([1-9]\d*)$/gm);
  expect(
    counted
      .map(([, kind]) => kind)
      .toArray()
      .sort(),
  ).toEqual([...new Set(kinds)].sort());
  return lines.stdout;
}

describe("findings", () => {
  test("none: each by the way that holds", async () => {
    await finds();
    await runKept();
    await run(["--method", "overlay"]);
    await finds();
  });

  test("no-keeper: it was not wanted, or was killed", async () => {
    const { pid } = await run(["--no-keep"]);
    expect(await finds("no-keeper")).toContain(`${pid} sh (${ID}): no-keeper: no keeper stays beside it`);
    await endPrograms();
    const kept = await runKept();
    await finds();
    process.kill(keepersOf(kept.pid)[0] as number, "SIGKILL");
    await until(async () => keepersOf(kept.pid).length === 0);
    expect(await finds("no-keeper")).toContain(`remedy: nspin refresh ${kept.pid}\n`);
  });

  const hostReplaces = () => $`sh -c "echo > /etc/new && mv -T /etc/new /etc/resolv.conf"`;
  /** The program reads its own file, by a cover that is known for one. */
  async function isKnown(program: Program): Promise<void> {
    await until(async () => keepersOf(program.pid).length === 0);
    expect(await program.run("cat /etc/resolv.conf")).toBe("nameserver 10.0.0.1");
    const { status, stdout, stderr } = await nspin(["check", String(program.pid)]);
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout).toContain(`${program.pid} sh (${ID}): no-keeper: `);
    expect((await nspin(["refresh", String(program.pid)])).status).toBe(0);
    await hostReplaces();
    await until(async () => (await program.run("cat /etc/resolv.conf")) === "nameserver 10.0.0.1");
  }

  test("no-keeper: it was killed when it had covered again, and not laid what is to be beneath", async () => {
    await hostReplaces(); // a plain file from here on
    const layers = async (program: Program) =>
      await program.run("grep -c ' /etc/resolv.conf ' /proc/self/mountinfo");
    let program: Program;
    do {
      await endPrograms();
      program = await runKept();
      await Bun.sleep(100); // it holds what it lays by then
      const [keeper] = keepersOf(program.pid) as [number];
      const kill = ["-e", "trace=open_tree", "-e", "inject=open_tree:signal=KILL"]; // of what is to be beneath
      const strace = Bun.spawn(["strace", "-p", String(keeper), ...kill], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      expect((await lines(strace.stderr).next()).value).toContain("attached");
      await hostReplaces();
      await strace.exited;
    } while ((await layers(program)) !== "1"); // or it was another call's, on a busy machine
    await isKnown(program);
  });

  test("no-keeper: it was killed after it had covered again, where the mount is not shared", async () => {
    await hostReplaces();
    const away = ["unshare", "--mount", "--propagation", "private"];
    const program = await begin([...away, NSPIN, "run", "--netns", ID]);
    await until(async () => keepersOf(program.pid).length === 1);
    await Bun.sleep(100);
    await hostReplaces();
    await until(async () => (await program.run("cat /etc/resolv.conf")) === "nameserver 10.0.0.1");
    process.kill(keepersOf(program.pid)[0] as number, "SIGKILL");
    await isKnown(program);
  });

  test("one that the host's file is away from, for a moment, is found again", async () => {
    const program = await run(["--no-keep", "--method", "rejoin"]);
    await $`rm /etc/resolv.conf`;
    const looks = nspin(["check", String(program.pid)]);
    await Bun.sleep(250);
    await $`sh -c "echo nameserver 192.0.2.53 > /etc/resolv.conf"`;
    const { status, stdout, stderr } = await looks;
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout).toContain(`${program.pid} sh (${ID}): detached: /etc/resolv.conf: `);
  });

  test("detached, and source-replaced", async () => {
    await run(["--no-keep"]);
    await replace(fileOf(ID), "nameserver 10.9.9.9\n");
    expect(await finds("source-replaced", "no-keeper")).toContain(
      `/etc/resolv.conf: ${fileOf(ID)} was replaced`,
    );
    await $`sh -c "rm /etc/resolv.conf && echo > /etc/resolv.conf"`;
    expect(await finds("detached")).toContain(
      `it reads the host's and not ${fileOf(ID)}: its cover is gone, or it was started without one (--no-etc)`,
    );
    await endPrograms();
    await runKept();
    await finds();
    await $`rm ${fileOf(ID)}`;
    expect(await finds("source-replaced")).toContain(
      `remedy: put ${fileOf(ID)} back, which its keeper then shows, or start it again\n`,
    );
    await $`echo nameserver 10.0.0.1 > ${fileOf(ID)}`;
    await until(async () => (await nspin(["check"])).status === 0);
  });

  test("something else is mounted on the cover, and taken away again", async () => {
    const program = await run(["--method", "overlay"]);
    await program.run("mount --bind /etc/hostname /etc/resolv.conf");
    expect(await finds("detached")).toContain(
      `remedy: nspin enter ${program.pid} -- umount /etc/resolv.conf`,
    );
    await program.run("umount /etc/resolv.conf");
    await finds();
  });

  test("netns-differs", async () => {
    await run(["--method", "overlay"], "nsenter", `--net=/run/netns/${OTHER}`);
    expect(await finds("netns-differs")).toContain(`it is in network namespace ${OTHER}, and its files`);
    await endPrograms();
    await run(["--method", "overlay"], "nsenter", "--net=/proc/1/ns/net");
    expect(await finds("netns-differs")).toContain("it is in the host's network namespace, and its files");
    await endPrograms();
    await run(["--method", "overlay"]);
    await finds();
  });

  test("netns-gone", async () => {
    await runKept();
    await $`ip netns delete ${ID}`;
    await finds("netns-gone");
    await $`ip netns add ${ID}`;
    await finds("netns-gone");
    await endPrograms();
    await runKept();
    await finds();
  });

  test("propagation-lost: the program was started where / is a slave, or private", async () => {
    await $`mkdir -p /opt/shared && mount -t tmpfs shared /opt/shared && mount --make-shared /opt/shared`;
    for (const propagation of ["slave", "private"]) {
      const own = ["unshare", "--mount", "--propagation", propagation];
      const program = await begin([...own, NSPIN, "run", "--netns", ID]);
      await until(async () => keepersOf(program.pid).length === 1);
      const nor = propagation === "private" ? ", and what the host mounts there does not reach it" : "";
      expect(await finds("propagation-lost")).toMatch(
        new RegExp(`what it mounts in .* does not reach the host${nor};`),
      );
      await endPrograms();
    }
    await runKept();
    await finds();
    await $`umount /opt/shared`;
  });

  test("silent-resolver: on a loopback that is its own", async () => {
    await $`ip -n ${ID} link set lo up`;
    writeFileSync(fileOf(ID), "nameserver 127.0.0.53\nnameserver 10.0.0.1\nnameserver ::1\n");
    await runKept();
    expect(await finds("silent-resolver", "silent-resolver")).toContain("nothing answers at 127.0.0.53");
    const dnsmasq = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"];
    const listen = ["--user=root", "--pid-file=", "--bind-interfaces", "--listen-address=127.0.0.53,::1"];
    const server = Bun.spawn(["ip", "netns", "exec", ID, ...dnsmasq, ...listen], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await until(async () => (await nspin(["check"])).status === 0);
    await finds();
    server.kill("SIGSTOP"); // the port is there, and nobody answers
    await finds("silent-resolver", "silent-resolver");
    server.kill("SIGKILL");
    await server.exited;
    writeFileSync(fileOf(ID), "nameserver 10.0.0.1\n");
    await finds();
  });

  test("past-the-file: nss-resolve", async () => {
    await $`sed -i ${"s/^hosts:.*/hosts: files resolve [!UNAVAIL=return] dns/"} /etc/nsswitch.conf`;
    await runKept();
    expect(await finds("past-the-file")).toContain("systemd-resolved");
    await endPrograms();
    writeFileSync(`/etc/netns/${ID}/nsswitch.conf`, "hosts: files dns\n");
    await runKept();
    await finds();
  });

  test("past-the-file: nscd", async () => {
    mkdirSync("/run/nscd");
    const nscd = Bun.listen({ unix: "/run/nscd/socket", socket: { data() {} } });
    await runKept();
    expect(await finds("past-the-file")).toContain("nscd");
    await endPrograms();
    await $`mkdir -p /opt/empty`;
    await runKept("--bind", "/opt/empty:/run/nscd");
    await finds();
    nscd.stop();
  });

  // Of /run/nscd the user nscd is the owner.
  test("what cannot be looked at hides no program from it", async () => {
    await $`mkdir -p /run/nscd && ln -s socket /run/nscd/socket`;
    await run(["--no-keep"]);
    await finds("no-keeper");
  });
});

test("unanswered: a file system that hangs below one program's file; the others are checked, and refreshed", async () => {
  const hanging = Bun.spawn(
    [NSPIN, "run", "--netns", ID, "--no-keep", "--", "unshare", "--mount", compile("hangs"), "/etc"],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const other = await run(["--no-keep"]);
  await until(async () => (await json("ps")).printed.length === 2, 60_000);
  // It is in a mount namespace of its own, for the test: with a copy of the cover that nobody keeps.
  const found = await finds("unanswered", "propagation-lost", "no-keeper", "no-keeper");
  const lines = found.split("\n").slice(0, -1);
  expect(lines.map((line) => Number.parseInt(line, 10))).toEqual([...Array(3).fill(hanging.pid), other.pid]);
  const { status, stdout } = await nspin(["refresh"]);
  expect([status, stdout]).toEqual([1, `${lines[0]}\n${lines[2]}\n`]);
  expect(keepersOf(other.pid)).toHaveLength(1);
  hanging.kill("SIGKILL");
  await hanging.exited;
  await finds();
}, 240_000);

describe("who is checked", () => {
  test("by a process, one that it has started, a network namespace; another is refused", async () => {
    const bad = await run(["--no-keep"]);
    const good = await begin([NSPIN, "run", "--netns", OTHER, "--method", "overlay"]);
    const child = await good.run("sleep 300 > /dev/null & echo $!");
    const status = async (...words: string[]) => (await nspin(["check", ...words])).status;
    expect(await status(OTHER)).toBe(0);
    expect(await status(String(good.pid))).toBe(0);
    expect(await status(child)).toBe(0);
    expect(await status(ID)).toBe(1);
    expect(await status(String(bad.pid), OTHER)).toBe(1);
    process.kill(Number(child));
    for (const word of ["task3", "1", "x/y", "999999999", "0", ""]) {
      const { status, stderr } = await nspin(["check", word]);
      const what = JSON.stringify(word);
      expect([status, stderr.split("\n")[0]]).toEqual([
        125,
        `nspin: no program runs under nspin as process ${what} or in network namespace ${what}`,
      ]);
    }
  });

  test("without the right to look inside: no, and not as if there were none", async () => {
    await runKept();
    const { status, stdout, stderr } = await start([...without("sys_chroot"), NSPIN, "check"]);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(
      /^nspin: cannot enter the mount namespace of process \d+: Operation not permitted \(EPERM\)\nnspin: hint: .* CAP_SYS_CHROOT/,
    );
  });

  test.each([
    ["readlink", "ENOMEM", "ns/mnt"],
    ["readlink", "ENOMEM", "ns/net"],
    ["openat", "EMFILE", "stat"],
    ["openat", "EMFILE", "mountinfo"],
    ["openat", "EMFILE", "ns/mnt"],
    ["read", "EIO", "mountinfo"],
    ["openat", "EACCES", "stat"], // by a security module, of what root could look at before
    ["openat", "EACCES", "mountinfo"],
    ["readlink", "EACCES", "ns/net"],
  ])(
    "where %s(2) is refused by %s at /proc/PID/%s: no, and not as if that process had ended",
    async (call, error, file) => {
      const { pid } = await run(["--no-keep"]);
      const path = `/proc/${pid}/${file}`;
      const inject = ["-P", path, "-e", `trace=${call}`, "-e", `inject=${call}:error=${error}`];
      const { status, stdout, stderr } = await start([
        ...["strace", "-f", "-o", "/dev/null", ...inject],
        ...[NSPIN, "check"],
      ]);
      expect([status, stdout]).toEqual([125, ""]);
      expect(stderr).toMatch(new RegExp(`^nspin: .*${path}.*\\(${error}\\)\n`));
    },
  );

  test("where the one that looks inside need not come back, it does not try, and cannot fail", async () => {
    await run(["--no-keep", "--method", "overlay"]);
    const inject = ["-e", "trace=setns", "-e", "inject=setns:error=ENOMEM:when=3"]; // after the network's
    const command = ["strace", "-f", "-o", "/dev/null", ...inject, NSPIN, "check"];
    expect(await start(command)).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test("where the process that looks inside is killed: no, and it says so", async () => {
    await run(["--no-keep"]);
    const killed = [
      "strace",
      "-f",
      "-o",
      "/dev/null",
      "-e",
      "trace=setns",
      "-e",
      "inject=setns:signal=KILL:when=1",
    ];
    const { status, stdout, stderr } = await start([...killed, NSPIN, "check"]);
    expect([status, stdout]).toEqual([125, ""]);
    expect(stderr).toMatch(/^nspin: cannot look at what programs see: .* SIGKILL\nnspin: hint: /);
  });

  test.each([
    ["inside", "1+", "check"],
    ["inside", "1+", "ps"],
    ["keep", "4", "refresh"], // it looks three times before
    ["examine", "1", "doctor"],
  ])(
    "where no process can be made for 'nspin %s' (%s): no, in nspin's own words: %s",
    async (part, when, command) => {
      await run(["--no-keep"]);
      const inject = ["-e", "trace=vfork", "-e", `inject=vfork:error=EAGAIN:when=${when}`];
      const seen = await start(["strace", "-f", "-o", "/dev/null", ...inject, NSPIN, command]);
      expect(seen).toMatchObject({
        status: 125,
        stdout: "",
        stderr:
          `nspin: cannot start 'nspin ${part}': Resource temporarily unavailable (EAGAIN)\n` +
          "nspin: hint: no process can be made here: pids.max of its cgroup (in a unit TasksMax=), or RLIMIT_NPROC\n",
      });
    },
  );

  test("without root: no, and not those of one's own either: why, and what would do", async () => {
    await runKept();
    const { status, stderr } = await start([...AS_NOBODY, NSPIN, "check"]);
    expect(status).toBe(125);
    expect(stderr).toMatch(
      /^nspin: cannot look at \d+ processes of other users: .*\nnspin: hint: run it as root, .* CAP_SYS_PTRACE\n$/,
    );
    await endPrograms();
    await run(["--user", "65534:65534"]);
    for (const words of [["ps"], ["check"], ["check", ID], ["enter", ID, "--", "true"], ["refresh", ID]]) {
      const seen = await start([...AS_NOBODY, NSPIN, ...words]);
      expect([seen.status, seen.stdout]).toEqual([125, ""]);
      expect(seen.stderr).toMatch(
        /^nspin: cannot enter the mount namespace of process \d+: Operation not permitted \(EPERM\)\nnspin: hint: run it as root, .* also for programs of your own\n$/,
      );
    }
  });
});

test.each(["hidepid=0", "hidepid=1", "hidepid=2"])(
  "without root, who is named cannot be looked at, and none is said to run nothing: /proc by %s",
  async (option) => {
    const { pid } = await run(["--no-keep"]);
    const user = AS_NOBODY.join(" ");
    const as = (words: string) => `mount -t proc -o ${option} proc /proc; exec ${user} ${NSPIN} ${words}`;
    const all =
      option === "hidepid=2"
        ? "processes of other users, which /proc hides \\(hidepid=\\)"
        : "\\d+ processes of other users";
    const one = option === "hidepid=2" ? all : `process ${pid}`;
    for (const command of ["check", "refresh", "enter"])
      for (const [word, what] of [
        [String(pid), one],
        [ID, all],
      ]) {
        const script = as(`${command} ${word}`);
        const { status, stdout, stderr } = await start(["unshare", "--mount", "sh", "-c", script]);
        expect([status, stdout]).toEqual([125, ""]);
        expect(stderr).toMatch(
          new RegExp(
            `^nspin: cannot look at ${what}: Permission denied \\(EACCES\\)\nnspin: hint: run it as root, for example with sudo, and with CAP_SYS_PTRACE\n$`,
          ),
        );
      }
    // A process of one's own can be looked at: it is none of nspin's.
    const own = `${user} sh -c '${NSPIN} check $$; echo $?'`;
    expect((await start(["sh", "-c", own])).stderr).toContain("no program runs under nspin as process");
  },
);

test("--prometheus: promtool has nothing against it, whatever a program is called", async () => {
  const program = await run(["--no-keep"]);
  await program.run("printf 'a\"\\\\b\\n' > /proc/self/task/$$/comm");
  const { stdout, status } = await nspin(["check", "--prometheus"]);
  expect(status).toBe(1);
  expect(stdout).toContain(
    `nspin_isolated{pid="${program.pid}",program="a\\"\\\\b\\\\x0a",netns="${ID}"} 0\n`,
  );
  const promtool = Bun.spawn(["dist/promtool/usr/bin/promtool", "check", "metrics"], {
    stdin: Buffer.from(stdout),
    stdout: "pipe",
    stderr: "pipe",
  });
  expect([await promtool.exited, await promtool.stdout.text(), await promtool.stderr.text()]).toEqual([
    0,
    "",
    "",
  ]);
  expect((await nspin(["check", "--prometheus", "--json"])).status).toBe(125);
});

test("nspin-check.service writes as the owner of node_exporter's directory, through no link of his", async () => {
  await run(["--no-keep"]);
  const unit = readFileSync("units/nspin-check.service", "utf8").replaceAll("\\\n", "");
  const script = /^ExecStart=-\/bin\/sh -c '(.*)'$/m
    .exec(unit)?.[1]
    ?.replace(/%%/g, "%")
    .replace(/\$\$/g, "$");
  const write = async () =>
    await start(["sh", "-c", script as string], {
      env: { PATH: `${dirname(NSPIN)}:/usr/bin:/bin`, DIRECTORY: "/opt/metrics" },
    });
  await $`rm -rf /opt/metrics && mkdir /opt/metrics && chown 65534 /opt/metrics && echo kept >/opt/root-only`;
  await $`ln -s /opt/root-only /opt/metrics/nspin.prom.new && ln -s /opt/root-only /opt/metrics/nspin.prom`;
  expect(await write()).toMatchObject({ status: 0, stdout: "", stderr: "" });
  expect(readFileSync("/opt/root-only", "utf8")).toBe("kept\n");
  expect(await $`cat /opt/metrics/nspin.prom`.text()).toBe((await nspin(["check", "--prometheus"])).stdout);
  expect(await $`stat -c %u:%a /opt/metrics/nspin.prom`.text()).toBe("65534:644\n");
  await $`rm -r /opt/metrics`;
  expect((await write()).status).toBe(0);
});

test("200 programs in 50 network namespaces, while others come and go: each is right, at each look", async () => {
  const many = Array.from({ length: 50 }, (_, i) => `many${i}`);
  for (const id of many) {
    await $`ip netns add ${id} && mkdir -p /etc/netns/${id}`;
    writeFileSync(fileOf(id), `nameserver 10.2.0.${many.indexOf(id)}\n`);
  }
  const launch = (id: string, ...words: string[]) =>
    Bun.spawn([NSPIN, "run", "--enter", "setns", "--netns", id, "--", ...words], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  const expected = new Map<number, string>();
  const all: Bun.Subprocess[] = [];
  for (let i = 0; i < 200; i++) {
    const id = many[i % many.length] as string;
    const child = launch(id, "sleep", "1000");
    all.push(child);
    expected.set(child.pid, id);
    if (i % 10 === 9)
      await until(async () =>
        all.every(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n"),
      );
  }
  await until(async () => all.every(({ pid }) => keepersOf(pid).length === 1), 60_000);
  let isOver = false;
  const comeAndGo = Array.from({ length: 4 }, async (_, i) => {
    while (!isOver) {
      const id = `churn${i}`;
      await $`ip netns add ${id} && mkdir -p /etc/netns/${id}`.quiet();
      writeFileSync(fileOf(id), "nameserver 10.3.0.1\n");
      await launch(id, "sleep", "0.1").exited;
      await $`ip netns delete ${id}`.quiet();
    }
  });
  const times: number[] = [];
  for (let looks = 0; looks < 10; looks++) {
    const before = performance.now();
    const { printed } = await json("ps");
    times.push(performance.now() - before);
    type Row = { pid: number; netns: string; state: string; servers: string[]; keeper: number | null };
    const stable = (printed as Row[]).filter(({ pid }) => expected.has(pid));
    expect(stable).toHaveLength(200);
    const wrong = stable.filter(
      ({ pid, netns, state, servers, keeper }) =>
        netns !== expected.get(pid) ||
        state !== "ok" ||
        keeper === null ||
        servers[0] !== `10.2.0.${many.indexOf(netns)}`,
    );
    expect(wrong).toEqual([]);
    expect((printed as Row[]).filter(({ state }) => state !== "ok")).toEqual([]);
    if (looks % 5 === 0) expect((await nspin(["check"])).stdout).toBe("");
  }
  isOver = true;
  await Promise.all(comeAndGo);
  console.log(
    `ps of 200 programs in 50 network namespaces: ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`,
  );
  for (const child of all) child.kill("SIGKILL");
  await Promise.all(all.map(({ exited }) => exited));
}, 480_000);
