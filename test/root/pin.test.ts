// The mount of method pin, on which launches rely that know nothing of each
// other: none fails, is killed or is undone at another's cost, nor at the host's.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { mountinfo } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { Stage } from "../kit/stage.ts";
import { until } from "../kit/until.ts";
import { atEachCall, delayed } from "./at-call.ts";
import { compile } from "./compile.ts";
import { enterBy, start } from "./start.ts";

const keeps = compile("keeps");
const HOST = String(process.pid);

async function onStage(body: (stage: Stage, launcher: string[]) => Promise<void>) {
  const stage = await Stage.make("plain");
  try {
    // Where no keeper is asked for, a plain file is pinned.
    await body(stage, enterBy("launcher", ["--no-keep", "--bind", `${stage.source}:${stage.file}`]));
  } finally {
    await stage.end();
  }
}

/** The mounts on the stage's file: their lines. */
const pins = ({ file }: Stage) =>
  mountinfo()
    .split("\n")
    .filter((line) => line.split(" ")[4] === file);

/** A host that replaces the file all the time, while body runs. */
async function replacing<Result>(file: string, body: () => Promise<Result>): Promise<Result> {
  const host = Bun.spawn([compile("restless"), "0", "replace", file]);
  try {
    return await body();
  } finally {
    host.kill();
    await host.exited;
  }
}

test("a launch that fails at any call takes back the pin that it made", () =>
  onStage(async (stage, launcher) => {
    let failed = 0;
    for await (const { status, stdout } of atEachCall("exit 5", [...launcher, "cat", stage.file], 2)) {
      if (status === 0) {
        expect(stdout).toBe("task\n");
        expect(pins(stage)).toHaveLength(1);
        await $`umount ${stage.file}`;
      } else failed++;
      expect(mountinfo()).toBe(stage.before);
    }
    expect(failed).toBeGreaterThan(10);
  }));

test("a launch that fails at any call leaves the pin that a program relies on", () =>
  onStage(async (stage, launcher) => {
    const program = new Program(launcher);
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    const pinned = mountinfo();
    for await (const _ of atEachCall("exit 5", [...launcher, "true"], 3)) expect(mountinfo()).toBe(pinned);
    const rename = `echo new >${stage.file}.new; mv -f ${stage.file}.new ${stage.file}`;
    expect((await start(["sh", "-c", rename])).stderr).toMatch(/busy/);
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    await program.end();
  }));

test("a launch that is killed at any call leaves one mount at most, which the next one uses", () =>
  onStage(async (stage, launcher) => {
    let left = 0;
    for await (const { status } of atEachCall("kill -KILL $PID", [...launcher, "true"], 4)) {
      expect(status).toBe(128 + 9);
      left += pins(stage).length;
      expect(await start([...launcher, "cat", stage.file])).toMatchObject({ status: 0, stdout: "task\n" });
      expect(pins(stage)).toHaveLength(1);
      await $`umount ${stage.file}`;
      expect(mountinfo()).toBe(stage.before);
    }
    expect(left).toBeGreaterThan(5);
  }));

test("a launch fails at any call, and another one starts just then: its program keeps the pin", () =>
  onStage(async (stage, launcher) => {
    const out = `${stage.root}/out`;
    const other = `(${launcher} ${keeps} ${stage.file} ${HOST}; echo $?) >${out} 2>&1`;
    for await (const _ of atEachCall(`${other} & exit 5`, [...launcher, "true"], 5)) {
      await until(async () => readFileSync(out, "utf8").endsWith("\n"));
      expect(readFileSync(out, "utf8")).toBe("0\n");
      expect(pins(stage)).toHaveLength(1);
      await $`umount ${stage.file} && rm ${out}`;
    }
  }));

test("launches fail, and the host replaces the file, for three seconds: who starts keeps the pin", () =>
  onStage(async (stage, launcher) => {
    const end = Date.now() + 3000;
    const seen: string[] = [];
    const failing = async () => {
      while (Date.now() < end)
        expect(await start([...launcher, "/nonexistent"])).toMatchObject({ status: 127 });
    };
    const relying = async () => {
      while (Date.now() < end) {
        const { status, stdout, stderr } = await start([...launcher, keeps, stage.file, HOST]);
        seen.push(status === 125 ? stderr : `${status} ${stdout}`);
        await $`umount ${stage.file}`.quiet().nothrow();
      }
    };
    await replacing(stage.file, () => Promise.all([failing(), failing(), relying()]));
    console.log(`${seen.length} programs relied on a pin, while others failed`);
    expect([...new Set(seen)]).toEqual(["0 "]);
  }));

test("64 launches at once on a file that none has pinned, while the host replaces it: half of them fail", () =>
  onStage(async (stage, launcher) => {
    for (let round = 0; round < 3; round++) {
      const launches = Array.from({ length: 64 }, (_, i) =>
        start([...launcher, ...(i % 2 ? ["/nonexistent"] : [keeps, stage.file, HOST])]),
      );
      const seen = await replacing(stage.file, () => Promise.all(launches));
      const what = seen.map(({ status, stdout }) => `${status} ${stdout}`).sort();
      expect(what).toEqual([...Array(32).fill("0 "), ...Array(32).fill("127 ")]);
      expect(pins(stage)).toHaveLength(1);
      await $`umount ${stage.file}`;
    }
  }));

// --- what the host mounts meanwhile ---

test.each([
  ["another file over it", "mount --bind $root/disk $file"],
  ["it onto itself", "mount --bind $file $file"],
  [
    "two files over it",
    "mount --bind $root/disk $file && mount --make-private $file && mount --bind $root/disk $file",
  ],
  ["something over its directory", "mount -t tmpfs disk $host/etc"],
  ["something beside it", "mount -t tmpfs disk $host/beside"],
])("before any call of a launch that fails, the host mounts %s: that stays", (_, does) =>
  onStage(async (stage, launcher) => {
    writeFileSync(`${stage.root}/disk`, "disk\n");
    mkdirSync(`${stage.holder}/beside`);
    const hook = `root=${stage.root} host=${stage.holder} file=${stage.file}; ${does}`;
    const points = () => stage.mounts().filter((point) => point !== stage.holder);
    await $`sh -c ${hook}`;
    const mounted = points();
    const unmount = async () => {
      for (const point of mounted) await $`umount ${point}`;
    };
    await unmount();
    let left = 0;
    for await (const { status } of atEachCall(hook, [...launcher, "/nonexistent"], 3)) {
      expect([125, 127]).toContain(status);
      await unmount();
      const pinned = pins(stage).length; // below what the host has mounted on it
      left += pinned;
      if (pinned > 0) await $`umount ${stage.file}`;
      expect(mountinfo()).toBe(stage.before);
    }
    expect(left).toBeLessThan(4);
  }),
);

const unpin = ({ file }: Stage, ...more: string[]) => [NSPIN, "unpin", ...more, file];

test("while unpin is about to unmount, the host binds another file over the pinned one: that stays", () =>
  onStage(async (stage, launcher) => {
    writeFileSync(`${stage.root}/disk`, "disk\n");
    expect(await start([...launcher, "true"])).toMatchObject({ status: 0 });
    const bind = () => $`mount --bind ${stage.root}/disk ${stage.file}`;
    expect(await delayed("umount2:when=1", unpin(stage), bind)).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(stage.file, "utf8")).toBe("disk\n");
    await $`umount ${stage.file}`;
    expect(mountinfo()).toBe(stage.before);
  }));

/** Where no mount namespace of its own helps: the one who mounted last keeps what is there, the pin stays below. */
test.each([
  ["unpin under a mount that is not shared", "private", []],
  ["a launch that cannot unshare", "shared", ["unshare:error=EPERM"]],
  ["a launch that cannot unshare, under a mount that is not shared", "private", ["unshare:error=EPERM"]],
])(
  "%s is about to unmount, and the host binds another file over the pinned one: that stays",
  (_, kind, errors) =>
    onStage(async (stage) => {
      writeFileSync(`${stage.root}/disk`, "disk\n");
      await $`mount --make-${kind} ${stage.holder}`;
      const before = mountinfo();
      const launcher = enterBy("launcher", ["--method", "pin", "--bind", `${stage.source}:${stage.file}`]);
      if (errors.length === 0) await $`${launcher} true`;
      const command = errors.length === 0 ? unpin(stage) : [...launcher, "true"];
      const failing = errors.flatMap((error) => ["-e", `inject=${error}`]);
      const bind = () => $`mount --bind ${stage.root}/disk ${stage.file}`;
      expect(await delayed("umount2:when=1", command, bind, failing)).toMatchObject({ status: 125 });
      expect(readFileSync(stage.file, "utf8")).toBe("disk\n");
      await $`umount ${stage.file}`;
      expect(pins(stage)).toHaveLength(1);
      expect(await start(unpin(stage))).toMatchObject({ status: 0, stderr: "" });
      expect(mountinfo()).toBe(before);
    }),
);

test("unpin, while a launch is at any call: its program has the pin, or unpin is refused and names it", () =>
  onStage(async (stage, launcher) => {
    const out = `${stage.root}/out`;
    const hook = `: >${out}; (${unpin(stage).join(" ")}; echo $?) >${out} 2>&1 & sleep 0.05`;
    writeFileSync(out, "0\n"); // of none
    const told: string[] = [];
    const program = `until grep -qx '[0-9]*' ${out}; do sleep 0.01; done; ${keeps} ${stage.file} ${HOST}`;
    for await (const { status, stdout } of atEachCall(hook, [...launcher, "sh", "-c", program], 13)) {
      expect([status, stdout]).toEqual([0, ""]);
      told.push(/ENOENT|EINVAL|on which process \d+ relies/.exec(readFileSync(out, "utf8"))?.[0] ?? "done");
      await $`umount ${stage.file}`;
      writeFileSync(out, "0\n");
    }
    const kinds = new Set(told.map((text) => text.replace(/\d+/, "N")));
    expect([...kinds].sort()).toEqual(["EINVAL", "on which process N relies"]);
  }));

test("unpin names the process that relies on the pin, whoever has made it; --force takes it away", () =>
  onStage(async (stage, launcher) => {
    expect(await start([...launcher, "true"])).toMatchObject({ status: 0 });
    const program = new Program(launcher);
    await program.run(":");
    const { status, stderr } = await start(unpin(stage));
    expect(status).toBe(125);
    expect(stderr).toContain(`, on which process ${program.pid} relies: Device or resource busy (EBUSY)\n`);
    expect(pins(stage)).toHaveLength(1);
    expect(await start(unpin(stage, "--force"))).toMatchObject({ status: 0, stderr: "" });
    expect(mountinfo()).toBe(stage.before);
    await program.end();
  }));

// As safe as it can be told: what lies on a copy of the pin, whoever laid it, counts.
test("unpin of a file that a program covers by rejoin is refused, and with --force no matter to that", () =>
  onStage(async (stage, launcher) => {
    const bind = `${stage.source}:${stage.file}`;
    const program = new Program([NSPIN, "run", "--method", "rejoin", "--bind", bind, "--"]);
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    expect(await start([...launcher, "true"])).toMatchObject({ status: 0 });
    expect(await start(unpin(stage))).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/on which process \d+ relies/),
    });
    expect(await start(unpin(stage, "--force"))).toMatchObject({ status: 0, stderr: "" });
    expect(mountinfo()).toBe(stage.before);
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    await program.end();
  }));

// --- where a pin would be more than one mount ---

/** Refused by name, in one sentence with the reason, and nothing is changed. */
async function refuses(bind: string, reason: RegExp) {
  const before = mountinfo();
  const { status, stderr } = await start([NSPIN, "run", "--method", "pin", "--bind", bind, "true"]);
  expect(status).toBe(125);
  expect(stderr).toMatch(/^nspin: cannot use method pin on .*\(EOPNOTSUPP\)\nnspin: hint: /);
  expect(stderr).toMatch(reason);
  expect(mountinfo()).toBe(before);
}

test("a directory with mounts in it: the host unmounts and mounts there as ever", () =>
  onStage(async (stage) => {
    const [directory, source] = [`${stage.holder}/data`, `${stage.root}/task`];
    await $`mkdir -p ${directory}/disk ${directory}/later ${source} && mount -t tmpfs disk ${directory}/disk`;
    const before = mountinfo();
    await refuses(`${source}:${directory}`, /a directory is not pinned/);
    const program = new Program(enterBy("setns", ["--no-keep", "--bind", `${source}:${directory}`]));
    expect(await program.run(`ls ${directory}`)).toBe("");
    expect(mountinfo()).toBe(before);
    const other = new Program(["unshare", "--mount", "--propagation", "slave"]);
    await other.run(":");
    await $`umount ${directory}/disk && mount -t tmpfs later ${directory}/later && touch ${directory}/later/seen`;
    expect(mountinfo()).not.toContain(`${directory}/disk`);
    expect(await other.run(`ls ${directory}/later; ls ${directory}/disk`)).toBe("seen");
    await program.end();
    await other.end();
    await $`umount ${directory}/later`;
    expect(mountinfo()).toBe(stage.before);
  }));

test("a file that is a mount itself: the service that it comes from replaces it as ever", () =>
  onStage(async (stage, launcher) => {
    await $`mkdir ${stage.holder}/run && echo host >${stage.holder}/run/file`;
    await $`mount --bind ${stage.holder}/run/file ${stage.file}`;
    const before = mountinfo();
    await refuses(`${stage.source}:${stage.file}`, /has a peer in this mount table/);
    const program = new Program(launcher);
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    expect(mountinfo()).toBe(before);
    await $`echo new >${stage.holder}/run/new && mv ${stage.holder}/run/new ${stage.holder}/run/file`;
    await program.end();
    await $`umount ${stage.file}`;
    expect(mountinfo()).toBe(stage.before);
  }));

test.each([
  ["shows it too: auto leaves no mount, and pin by name is refused", "etc", 0],
  ["does not show it: one mount", "other", 1],
])("a peer in the host's own table that %s", (_, shown, mounts) =>
  onStage(async (stage, launcher) => {
    await $`mkdir -p ${stage.root}/other ${stage.holder}/other`;
    await $`mount --bind ${stage.holder}/${shown} ${stage.root}/other`;
    const before = stage.mounts();
    const pin = `${stage.source}:${stage.file}`;
    if (mounts === 0) await refuses(pin, /has a peer in this mount table/);
    const program = new Program(launcher);
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    expect(stage.mounts()).toEqual([...before, ...Array(mounts).fill(stage.file)].sort());
    expect(readFileSync(stage.file, "utf8")).toBe("host\n");
    await program.end();
    await $`umount ${stage.root}/other`;
  }),
);
