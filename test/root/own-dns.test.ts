// --own-dns: what answers for the host by a socket is hidden from the program. With the real ones: test/boot/nss.test.ts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { $ } from "bun";
import { keepersOf } from "../kit/keepers.ts";
import { mountinfo } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { until } from "../kit/until.ts";
import { whileHanging } from "./hanging.ts";
import { type Entry, enterBy, entries, nspin, start } from "./start.ts";

const ID = "own-dns";
const NSSWITCH = "/etc/nsswitch.conf";
const RESOLVED = "/run/systemd/resolve/io.systemd.Resolve";
const was = readFileSync(NSSWITCH, "utf8");
const host = [
  "# a comment: hosts: none",
  "passwd: files systemd",
  " hosts:\tfiles resolve [!UNAVAIL=return] dns",
  "hostsx: no",
  "networks: files",
].join("\n"); // no newline at the end
const own = host.replace(/^ hosts:.*\n/m, "").replace(/^/, "hosts: files dns\n");
const servers: Server[] = [];

const listen = async (path: string) => {
  const server = createServer((connection) => connection.end("the host's answer"));
  servers.push(server);
  await new Promise<void>((listening) => server.listen(path, listening));
};

beforeAll(async () => {
  await $`ip netns add ${ID} && mkdir -p /etc/netns/${ID} /run/nscd /run/systemd/resolve`;
  writeFileSync(`/etc/netns/${ID}/resolv.conf`, "nameserver 192.0.2.53\n");
  writeFileSync(NSSWITCH, host);
  await listen("/run/nscd/socket");
  await listen(RESOLVED);
});
afterAll(async () => {
  for (const server of servers) server.close();
  writeFileSync(NSSWITCH, was);
  await $`ip netns del ${ID} && rm -r /etc/netns/${ID} /run/nscd ${RESOLVED}`.nothrow().quiet();
});

const options = ["--netns", ID, "--own-dns"];
const connect = (path: string) =>
  `perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new("${path}"); print $s ? <$s> : "$!", "\\n"'`;
const look = `cat ${NSSWITCH}; echo; ls -A /run/nscd; ${connect(RESOLVED)}; cat /etc/resolv.conf`;

describe.each(entries)("by %s", (entry: Entry) => {
  test("nsswitch.conf asks files and dns, and nobody answers by socket", async () => {
    const before = mountinfo();
    const seen = await start([...enterBy(entry, options), "sh", "-c", look]);
    expect(seen).toMatchObject({
      status: 0,
      stdout: `${own}\nConnection refused\nnameserver 192.0.2.53\n`,
      stderr: "",
    });
    const without = await start([...enterBy(entry, ["--netns", ID]), "sh", "-c", look]);
    expect(without.stdout).toBe(`${host}\nsocket\nthe host's answer\nnameserver 192.0.2.53\n`);
    expect(readFileSync(NSSWITCH, "utf8")).toBe(host);
    expect(mountinfo()).toBe(before);
  });

  test("what the host makes anew stays hidden", async () => {
    const program = new Program(enterBy(entry, options));
    try {
      expect(await program.run(`head -n 1 ${NSSWITCH}`)).toBe("hosts: files dns");
      writeFileSync(`${NSSWITCH}.new`, host);
      renameSync(`${NSSWITCH}.new`, NSSWITCH); // as sed -i
      rmSync(RESOLVED);
      await listen(RESOLVED);
      rmSync("/run/nscd", { recursive: true });
      mkdirSync("/run/nscd");
      await listen("/run/nscd/socket");
      await until(
        async () =>
          (await program.run(look.split(";").slice(0, 3).join(";"))) === `${own}` &&
          (await program.run(connect(RESOLVED))) === "Connection refused",
      );
    } finally {
      await program.end();
    }
  });

  test("the task's own nsswitch.conf, or a --bind over one, comes first", async () => {
    writeFileSync(`/etc/netns/${ID}/nsswitch.conf`, "hosts: dns\n");
    mkdirSync("/tmp/own-nscd", { recursive: true });
    writeFileSync("/tmp/own-nscd/mine", "");
    try {
      const bound = [...options, "--bind", "/tmp/own-nscd:/run/nscd"];
      const seen = await start([...enterBy(entry, bound), "sh", "-c", `cat ${NSSWITCH}; ls /run/nscd`]);
      expect(seen).toMatchObject({ status: 0, stdout: "hosts: dns\nmine\n", stderr: "" });
    } finally {
      rmSync(`/etc/netns/${ID}/nsswitch.conf`);
    }
  });

  test("by method rejoin", async () => {
    const before = mountinfo();
    const seen = await start([...enterBy(entry, [...options, "--method", "rejoin"]), "sh", "-c", look]);
    expect(seen.stderr + seen.stdout).toBe(`${own}\nConnection refused\nnameserver 192.0.2.53\n`);
    expect(mountinfo()).toBe(before);
  });

  test.each([
    ["pin", ["--method", "pin"]],
    ["auto", ["--no-keep"]],
  ])("what would be pinned is refused: %s %p", async (method, more) => {
    const before = mountinfo();
    const seen = await start([...enterBy(entry, [...options, "--no-etc", ...more]), "true"]);
    expect(seen.status).toBe(125);
    expect(seen.stderr).toStartWith(
      `nspin: cannot use method ${method} on ${NSSWITCH}: Invalid argument (EINVAL)\n`,
    );
    expect(mountinfo()).toBe(before);
  });
});

test.each(entries)(
  "without a keeper, on a mount that is not shared, nothing would be pinned: by %s",
  async (entry) => {
    const away = ["unshare", "--mount", "--propagation", "private"];
    const seen = await start([...away, ...enterBy(entry, [...options, "--no-keep"]), "sh", "-c", look]);
    expect(seen.stdout).toBe(`${own}\nConnection refused\nnameserver 192.0.2.53\n`);
    expect(seen.status).toBe(0);
  },
);

test("check finds nothing wrong, and refresh gives it a keeper again, which hides on", async () => {
  const program = new Program(enterBy("setns", [...options, "--sys"]));
  try {
    await until(async () => keepersOf(program.pid).length === 1);
    const check = () => nspin(["check", `${program.pid}`]);
    expect(await check()).toMatchObject({ status: 0, stdout: "" });
    expect((await nspin(["ps"])).stdout).toContain(`/etc/resolv.conf,${NSSWITCH},/run/nscd,${RESOLVED}`);
    for (const keeper of keepersOf(program.pid)) process.kill(keeper, "SIGKILL");
    await until(async () => keepersOf(program.pid).length === 0);
    expect((await check()).stdout).toContain("no-keeper");
    expect(await nspin(["refresh", `${program.pid}`])).toMatchObject({ status: 0, stdout: "" });
    await until(async () => (await check()).status === 0);
    await Bun.sleep(100); // it holds what it lays by then
    writeFileSync(`${NSSWITCH}.new`, host);
    renameSync(`${NSSWITCH}.new`, NSSWITCH);
    await until(async () => (await program.run(`head -n 1 ${NSSWITCH}`)) === "hosts: files dns");
    expect(await check()).toMatchObject({ status: 0, stdout: "" });
  } finally {
    await program.end();
  }
});

const hostMakesAnew: Readonly<Record<string, () => Promise<void>>> = {
  async [NSSWITCH]() {
    writeFileSync(`${NSSWITCH}.new`, host);
    renameSync(`${NSSWITCH}.new`, NSSWITCH);
  },
  async "/run/nscd"() {
    rmSync("/run/nscd", { recursive: true });
    mkdirSync("/run/nscd");
    await listen("/run/nscd/socket");
  },
  async [RESOLVED]() {
    rmSync(RESOLVED);
    await listen(RESOLVED);
  },
};

describe("the keeper was killed, and the host has made anew", () => {
  const hidden = `${own}\nConnection refused`;
  const lookAtAll = `cat ${NSSWITCH}; echo; ls -A /run/nscd; ${connect(RESOLVED)}`;

  async function killed(): Promise<Program> {
    const program = new Program(enterBy("setns", [...options, "--sys"]));
    await until(async () => keepersOf(program.pid).length === 1);
    for (const keeper of keepersOf(program.pid)) process.kill(keeper, "SIGKILL");
    await until(async () => keepersOf(program.pid).length === 0);
    return program;
  }

  test.each([[[NSSWITCH]], [["/run/nscd"]], [[RESOLVED]], [[NSSWITCH, RESOLVED]], [["/run/nscd", RESOLVED]]])(
    "%p: check says which, and refresh hides them again, and on",
    async (targets) => {
      const program = await killed();
      try {
        for (const target of targets) await hostMakesAnew[target]?.();
        const { stdout, status } = await nspin(["check", `${program.pid}`]);
        expect(status).toBe(1);
        const said = stdout.matchAll(/: detached: (\S+): .* with --own-dns; remedy: nspin refresh \d+\n/g);
        expect(said.map(([, target]) => target).toArray()).toEqual(targets);
        expect(await nspin(["refresh"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
        expect(await program.run(lookAtAll)).toBe(hidden);
        expect(await nspin(["check"])).toMatchObject({ status: 0, stdout: "" });
        for (const target of targets) await hostMakesAnew[target]?.();
        await until(async () => (await program.run(lookAtAll)) === hidden);
      } finally {
        await program.end();
      }
    },
  );

  test("all of them: nothing tells that they were covered, but where they were, and what answers for the host", async () => {
    const program = await killed();
    try {
      for (const makeAnew of Object.values(hostMakesAnew)) await makeAnew();
      const { stdout } = await nspin(["check", `${program.pid}`]);
      const bare = stdout.matchAll(/: detached: (\S+): nothing is covered in there any more, /g);
      expect(bare.map(([, directory]) => directory).toArray()).toEqual(["/run", dirname(RESOLVED)]);
      expect(stdout.match(/: detached: /g)).toHaveLength(2);
      expect(stdout.match(/: past-the-file: /g)).toHaveLength(2);
    } finally {
      await program.end();
    }
  });

  test("what cannot be copied, a FIFO for one: no keeper is started that lacks one", async () => {
    const program = await killed();
    try {
      await $`rm ${NSSWITCH} && mkfifo ${NSSWITCH}`;
      const { stdout, stderr, status } = await nspin(["refresh"]);
      expect([status, stdout]).toEqual([1, expect.stringContaining(`: detached: ${NSSWITCH}: `)]);
      expect(stderr).toBe(
        `nspin: cannot start a keeper for process ${program.pid}: Invalid argument (EINVAL)\n`,
      );
      expect(keepersOf(program.pid)).toEqual([]);
      rmSync(NSSWITCH);
      writeFileSync(NSSWITCH, host);
      expect(await nspin(["refresh"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
      expect(await program.run(lookAtAll)).toBe(hidden);
    } finally {
      await program.end();
    }
  });

  test("of one that has another mount on it, that is said", async () => {
    const program = await killed();
    try {
      await program.run(`mount --bind /etc/hostname ${NSSWITCH}`);
      const { stdout } = await nspin(["check"]);
      expect(stdout).toContain(`: detached: ${NSSWITCH}: another mount lies on what covers it; `);
      await program.run(`umount ${NSSWITCH}`);
      expect((await nspin(["check"])).stdout).not.toContain("detached");
    } finally {
      await program.end();
    }
  });
});

describe.each(["private", "shared"])("/run is a %s mount", (kind) => {
  const at = dirname(RESOLVED);
  const make = `mount -t tmpfs run /run && mount --make-${kind} /run && mkdir -p /run/nscd ${at}/dir &&
    echo host | tee ${RESOLVED} >/run/nscd/socket`;
  // What it mounts reaches the outer mount namespace where the mount is shared.
  const hidden = `ls -A /run/nscd; cat ${RESOLVED}; mount -t tmpfs of-the-program ${at}/dir`;
  const outside = `cat /run/nscd/socket ${RESOLVED}; grep -c of-the-program /proc/self/mountinfo`;

  test.each(entries)("one cover lies right below its root, one deeper: by %s", async (entry) => {
    const words = enterBy(entry, ["--netns", "/proc/self/ns/net", "--no-etc", "--own-dns"]);
    const outer = ["unshare", "-m", "sh", "-c", `${make}; "$@" || exit; ${outside} || :`, "sh"];
    const { status, stdout } = await start([...outer, ...words, "sh", "-c", hidden]);
    const reached = kind === "shared" ? 1 : 0;
    expect({ status, stdout }).toEqual({ status: 0, stdout: `host\nhost\n${reached}\n` });
  });
});

describe("a line is one of hosts where glibc takes it for one", () => {
  // The last one counts, and asks what is not installed: so nobody finds localhost.
  const spaced = [" ", "\t", "\v", "\f", "\r"].flatMap((c) => [
    `${c}hosts: none`,
    `hosts${c}none`,
    `${c}${c}hosts${c}:${c}none`,
  ]);
  const find = ["sh", "-c", `getent hosts localhost >/dev/null; echo $?; cat ${NSSWITCH}`];
  const look = async (line: string) => {
    writeFileSync(NSSWITCH, `hosts: files\n${line}\n`);
    const [without, seen] = [
      await nspin(["run", "--netns", ID, ...find]),
      await nspin(["run", ...options, ...find]),
    ];
    return { without: without.stdout, seen: seen.stdout };
  };
  beforeAll(async () => {
    await $`cp /etc/hosts /tmp/own-dns-hosts && echo 127.0.0.1 localhost >>/etc/hosts`;
  });
  afterAll(async () => {
    writeFileSync(NSSWITCH, host);
    await $`cp /tmp/own-dns-hosts /etc/hosts && rm /tmp/own-dns-hosts`;
  });

  test.each(["hosts", ...spaced])("%j", async (line) => {
    expect(await look(line)).toEqual({
      without: `2\nhosts: files\n${line}\n`,
      seen: "0\nhosts: files dns\n",
    });
  });
  test.each(["hosts#: none", "xhosts: none", "\u00a0hosts: none", "Hosts: none", ": hosts: none"])(
    "%j is none",
    async (line) => {
      expect(await look(line)).toEqual({
        without: `0\nhosts: files\n${line}\n`,
        seen: `0\nhosts: files dns\n${line}\n`,
      });
    },
  );
});

describe("nscd's directory is a file system that hangs (FUSE): it is hidden like any other", () => {
  const SOONER = ["timeout", "--signal=KILL", "30"];
  const list = [...SOONER, "ls", "-A", "/run/nscd"];

  test.each(entries)("before it starts: by %s", async (entry) => {
    await whileHanging("/run/nscd", async () => {
      const before = mountinfo();
      const seen = await start([...SOONER, ...enterBy(entry, options), ...list]);
      expect(seen).toMatchObject({ status: 0, stdout: "", stderr: "" });
      expect(mountinfo()).toBe(before);
    });
  });

  test("while it runs", async () => {
    const program = new Program(enterBy("setns", options));
    try {
      expect(await program.run(list.join(" "))).toBe("");
      await whileHanging("/run/nscd", async () => {
        await until(
          async () => (await program.run(`timeout --signal=KILL 1 ls -A /run/nscd; echo $?`)) === "0",
        );
      });
    } finally {
      await program.end();
    }
  });

  test("a dry run, and -v, do not ask it", async () => {
    await whileHanging("/run/nscd", async () => {
      const dry = await start([...SOONER, NSPIN, "run", "--netns", ID, "--dry-run", "--", "true"]);
      expect([dry.status, dry.stdout]).toEqual([0, expect.stringContaining("nscd, by /run/nscd/socket")]);
      const verbose = await start([...SOONER, NSPIN, "run", "--netns", ID, "-v", "--", "true"]);
      expect([verbose.status, verbose.stderr]).toEqual([
        0,
        expect.stringContaining("nscd, by /run/nscd/socket"),
      ]);
    });
  });
});

test("what is not here needs no cover", async () => {
  const away = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run/systemd && exec "$@"', "sh"];
  const dry = await start([...away, ...enterBy("setns", [...options, "--dry-run", "--json"]), "true"]);
  const targets = JSON.parse(dry.stdout).covers.map(({ target }: { target: string }) => target);
  expect(targets).toContain(NSSWITCH);
  expect(targets).not.toContain(RESOLVED);
});

test("a host's file of any kind is no trap: a FIFO or a huge one is refused, none is none", async () => {
  const regular =
    "nspin: hint: nsswitch.conf must be a regular file of less than 64 KiB, whose lines can be shown again\n";
  renameSync(NSSWITCH, `${NSSWITCH}.away`);
  try {
    const none = await nspin(["run", ...options, "ls", NSSWITCH]);
    expect([none.status, none.stderr]).toEqual([
      2,
      `ls: cannot access '${NSSWITCH}': No such file or directory\n`,
    ]);
    await $`mkfifo ${NSSWITCH}`;
    expect(await nspin(["run", ...options, "echo", "started"])).toMatchObject({
      status: 125,
      stdout: "",
      stderr: `nspin: cannot make what covers ${NSSWITCH}: Invalid argument (EINVAL)\n${regular}`,
    });
    rmSync(NSSWITCH);
    writeFileSync(NSSWITCH, host.padEnd(65_536, "\n"));
    expect(await nspin(["run", ...options, "echo", "started"])).toMatchObject({
      status: 125,
      stdout: "",
      stderr: `nspin: cannot make what covers ${NSSWITCH}: File too large (EFBIG)\n${regular}`,
    });
  } finally {
    rmSync(NSSWITCH, { force: true });
    renameSync(`${NSSWITCH}.away`, NSSWITCH);
  }
});

test("a dry run names what is covered, and nothing answers by socket any more", async () => {
  const dry = async (...more: string[]) => (await nspin(["run", ...more, "--dry-run", "true"])).stdout;
  expect(await dry("--netns", ID)).toContain("nscd, by /run/nscd/socket");
  const own = await dry(...options);
  for (const target of [NSSWITCH, "/run/nscd", RESOLVED]) expect(own).toContain(`${target} with --own-dns`);
  expect(own).toContain("asked by socket:   nothing: names go by resolv.conf\n");
  expect(existsSync("/proc/own-dns")).toBeFalse();
});
