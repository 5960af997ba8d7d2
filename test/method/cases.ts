// What each method promises, on this kernel. Run by test/root in a container,
// and by test/vm inside other kernels.
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { $ } from "bun";
import { isAtRest, keepersOf } from "../kit/keepers.ts";
import { mountinfo } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { entries, type Kind } from "../kit/stage.ts";
import { until } from "../kit/until.ts";
import { actions, type Method, others, seenBy } from "./actions.ts";
import { type Body, type Case, isSince, keeps, rejoins, staged, started } from "./case.ts";
import { treeOf, trees } from "./trees.ts";

const list: Case[] = [];
export const cases: readonly Case[] = list;

/** One sequence, two entries: a case for each. */
function add(name: string, kind: Kind, body: Body, by = entries): void {
  for (const entry of by)
    list.push({
      name: entry === "run" ? name : `by a launcher: ${name}`,
      run: () => staged(kind, entry, body),
    });
}

/** The rules that auto goes by where no keeper is left. */
const STATIC = "auto --no-keep";
const methods = rejoins ? ["auto", STATIC, "pin", "rejoin", "overlay"] : ["auto", STATIC, "pin"];
const kinds: Kind[] = ["plain", "link", "dangling"];
/** Mounts on the host. */
const leaves = (method: string, kind: Kind) =>
  method === "pin" || (method === STATIC && kind === "plain") || (method.startsWith("auto") && !rejoins)
    ? 1
    : 0;

for (const method of methods) {
  for (const kind of kinds) {
    add(`${method}, ${kind}: the program sees its file, the host its own; the table`, kind, async (stage) => {
      await started(stage, method, async () => {
        if (kind !== "dangling") equal(readFileSync(stage.file, "utf8"), "host\n");
        else equal(existsSync(stage.file), false);
        if (leaves(method, kind) === 0) equal(mountinfo(), stage.before);
      });
      equal(stage.mounts().length, stage.mounts(stage.before).length + leaves(method, kind));
      if (leaves(method, kind) === 0) equal(mountinfo(), stage.before);
      await started(stage, method, async () => {}); // launches do not stack
      equal(stage.mounts().length, stage.mounts(stage.before).length + leaves(method, kind));
    });

    add(
      `${method}, ${kind}: every other mount propagates both ways, mounts and umounts`,
      kind,
      async (stage) => {
        const [inside, outside] = [`${stage.holder}/inside`, `${stage.holder}/outside`];
        await $`mkdir ${inside} ${outside}`;
        await started(stage, method, async (program) => {
          await program.run(`mount -t tmpfs in ${inside} && mkdir ${inside}/sub && touch ${inside}/seen`);
          await $`mount -t tmpfs out ${outside} && touch ${outside}/seen`.quiet();
          equal(existsSync(`${inside}/seen`), true);
          equal(await program.run(`ls ${outside}`), "seen");
          await $`mount -t tmpfs sub ${inside}/sub && touch ${inside}/sub/seen`.quiet();
          equal(await program.run(`ls ${inside}/sub`), "seen");
          await program.run(`umount ${inside}/sub; umount ${outside}`);
          equal(existsSync(`${outside}/seen`), false);
          await $`umount ${inside}`.quiet();
          equal(await program.run(`ls ${inside}`), "");
        });
        equal(stage.mounts().length, stage.mounts(stage.before).length + leaves(method, kind));
      },
    );
  }

  add(
    `${method}: a mount over the file inside does not reach the source, nor the host`,
    "link",
    async (stage) => {
      await started(stage, method, async (program) => {
        await program.run(`echo inner > ${stage.root}/inner; mount --bind ${stage.root}/inner ${stage.file}`);
        equal(await program.run(`cat ${stage.file}`), "inner");
        equal(readFileSync(stage.source, "utf8"), "task\n");
        equal(readFileSync(stage.file, "utf8"), "host\n");
      });
    },
  );

  add(`${method}: a launch from within a launch`, "link", async (stage) => {
    await started(stage, method, async (program) => {
      await $`echo nested > ${stage.root}/nested && mkdir ${stage.holder}/dir`;
      const nested = stage
        .command("--method", ...method.split(" "), "--bind", `${stage.root}/nested:${stage.file}`)
        .join(" ");
      const script = `cat ${stage.file}; mount -t tmpfs deep ${stage.holder}/dir`;
      equal(await program.run(`${nested} sh -c '${script}'`), "nested");
      equal(await program.run(`cat ${stage.file}`), "task");
      equal(stage.mounts().includes(`${stage.holder}/dir`), true);
      equal(readFileSync(stage.source, "utf8"), "task\n");
    });
  });

  add(`${method}: files under several mounts, and two under one`, "link", async (stage) => {
    const other = `${stage.root}/other`;
    await $`mkdir ${other} && mount -t tmpfs other ${other} && mount --make-shared ${other}`.quiet();
    await $`mkdir ${other}/etc ${other}/dir && ln -s hosts ${other}/etc/link`;
    await $`ln -s resolv.conf ${stage.holder}/etc/second`;
    const before = mountinfo();
    const more = [`${other}/etc/link`, `${stage.holder}/etc/second`];
    const binds = more.flatMap((file) => ["--bind", `${stage.source}:${file}`]);
    const program = new Program(stage.covering(method, ...binds));
    equal(await program.run(`cat ${stage.file} ${more.join(" ")}`), "task\ntask\ntask");
    await program.run(`mount -t tmpfs deep ${other}/dir`);
    equal(stage.mounts().includes(`${other}/dir`), true);
    await $`umount ${other}/dir`.quiet();
    if (leaves(method, "link") === 0) equal(mountinfo(), before);
    equal(await program.end(), 0);
    await $`umount -l ${other}`.quiet();
  });

  add(
    `${method}: no descriptor of the host's is left in the program, and no mount is kept busy`,
    "link",
    async (stage) => {
      await started(stage, method, async (program) => {
        equal(await program.run("ls /proc/self/fd | wc -l"), "4"); // 0, 1, 2 and ls's own
        const { exitCode } = await $`umount ${stage.holder}`.quiet().nothrow();
        equal(exitCode === 0, leaves(method, "link") === 0);
        equal(await program.run(`cat ${stage.file}`), "task");
      });
    },
  );

  add(`${method}, --read-only: the program cannot write it`, "link", async (stage) => {
    const program = new Program(stage.covering(method, "--read-only"));
    match(await program.run(`echo x 2>&1 > ${stage.file}; mount | grep ' ${stage.file} '`), /\(ro,/);
    equal(await program.end(), 0);
    equal(readFileSync(stage.source, "utf8"), "task\n");
  });
}

// --- the host, or another program, acts while the program runs ---

type Acts = (command: string) => Promise<string>; // and what it says of errors

async function byHost(command: string): Promise<string> {
  const { exitCode, stderr } = await $`sh -c ${command}`.quiet().nothrow();
  return exitCode === 0 ? "" : stderr.toString();
}

/** How the file is covered, and what the table has of that. */
interface Way {
  readonly method: string;
  /** Under a mount that is not shared. */
  readonly isAlone?: true;
  readonly column: (kind: Kind) => Method;
}
const ways: Record<string, Way> = {
  auto: { method: "auto", column: () => (rejoins ? "auto" : "pin") },
  "auto, alone": { method: "auto", isAlone: true, column: () => (keeps ? "auto" : "cover") },
  "--no-keep": { method: STATIC, column: (kind) => (rejoins && kind !== "plain" ? "rejoin" : "pin") },
  cover: { method: STATIC, isAlone: true, column: () => "cover" },
  pin: { method: "pin", column: () => "pin" },
  ...(rejoins && {
    rejoin: { method: "rejoin", column: () => "rejoin" },
    overlay: { method: "overlay", column: () => "overlay" },
  }),
};
/** Milliseconds in which a keeper has covered again. */
const AGAIN = 2000;

/** For each of them and by each method. */
function addActions(
  who: string,
  list: typeof actions,
  act: (body: (acts: Acts) => Promise<void>, words: string[]) => Promise<void>,
): void {
  for (const [does, action] of Object.entries(list)) {
    for (const kind of ["plain", "link"] as const) {
      for (const [by, { method, isAlone, column }] of Object.entries(ways)) {
        const row = action[kind];
        if (row === undefined) continue;
        const { host, program: then, since, sinceAlone = since } = seenBy(column(kind), row);
        const from = isAlone ? sinceAlone : since;
        const reads = from === undefined || isSince(from) ? then : "task";
        add(`${by}, ${kind}: ${who} ${does}`, kind, async (stage) => {
          if (isAlone) await $`mount --make-private ${stage.holder}`.quiet();
          await started(stage, method, async (program) => {
            await act(async (acts) => {
              const said = await acts(action.does(stage));
              equal(said === "" ? "ok" : /busy/i.test(said) ? "busy" : said, host);
              const read = async () => (await program.run(`cat ${stage.file}`)).replace(/^cat: .*: /, "");
              if (column(kind) === "auto") await until(async () => (await read()) === reads, AGAIN);
              equal(await read(), reads);
            }, stage.covering(method));
          });
        });
      }
    }
  }
}

addActions("the host", actions, (body) => body(byHost));
addActions("another program", others, async (body, words) => {
  const other = new Program(words);
  try {
    // Its keeper's first look, 20 ms after the start, has the cover open for a moment: umount(2) says EBUSY then.
    const isResting = async () => keepersOf(other.pid).every(isAtRest);
    equal(await other.run("echo up"), "up");
    await Bun.sleep(50);
    await until(isResting, AGAIN).catch(() => {});
    await body((command) => other.run(command));
  } finally {
    equal(await other.end(), 0);
  }
});

// --- what lies where ---

for (const [by, { method, isAlone, column }] of Object.entries(ways)) {
  if (by === "auto, alone") continue; // as auto, and nothing is shared
  for (const kind of ["plain", "link"] as const) {
    add(`${by}, ${kind}: the mounts of docs/methods.md's picture`, kind, async (stage) => {
      if (isAlone) await $`mount --make-private ${stage.holder}`.quiet();
      await started(stage, method, async (program) => {
        const group = / shared:\d+/.exec(stage.before.split(` ${stage.holder} `)[1] as string)?.[0].trim();
        const table = readFileSync(`/proc/${program.pid}/mountinfo`, "utf8");
        const { host, program: inside } = trees[column(kind)];
        deepEqual(treeOf(mountinfo(), stage.holder, group), host);
        deepEqual(treeOf(table, stage.holder, group), inside);
      });
    });
  }
}

// --- what the holder may be ---

for (const method of methods) {
  add(`${method}: the source is in the target's own directory`, "link", async (stage) => {
    await $`mkdir ${stage.holder}/etc/netns && cp ${stage.source} ${stage.holder}/etc/netns/task.conf`;
    const bind = `${stage.holder}/etc/netns/task.conf:${stage.file}`;
    const program = new Program(stage.command("--method", ...method.split(" "), "--bind", bind));
    equal(await program.run(`cat ${stage.file}`), "task");
    equal(await program.end(), 0);
  });
}

for (const method of ["auto", STATIC]) {
  add(`${method}: a link and a plain file under one mount, each by its own rule`, "link", async (stage) => {
    const hosts = `${stage.holder}/etc/hosts`;
    await $`echo host > ${hosts}`;
    const program = new Program(stage.covering(method, "--bind", `${stage.source}:${hosts}`));
    equal(await program.run(`cat ${hosts} ${stage.file}`), "task\ntask");
    equal(readFileSync(hosts, "utf8"), "host\n");
    await program.run(`mkdir ${stage.holder}/dir && mount -t tmpfs in ${stage.holder}/dir`);
    const pinned = [
      ...(leaves(method, "plain") === 1 ? [hosts] : []),
      ...(leaves(method, "link") === 1 ? [stage.file] : []),
    ];
    deepEqual(stage.mounts(), [stage.holder, ...pinned, `${stage.holder}/dir`].sort());
    equal(await program.end(), 0);
    if (pinned.includes(hosts)) await $`${NSPIN} unpin ${hosts}`.quiet();
  });
}

if (rejoins) {
  add(
    "overlay refuses to hide what is mounted in the directory, and leaves nothing",
    "link",
    async (stage) => {
      const other = `${stage.holder}/etc/other`;
      await $`mkdir ${other} && mount -t tmpfs other ${other}`.quiet();
      const before = mountinfo();
      const { exitCode, stderr } = await $`${stage.covering("overlay")} true`.quiet().nothrow();
      equal(exitCode, 125);
      match(stderr.toString(), /cannot lay an overlay .*\(EBUSY\)\nnspin: hint: something is mounted/);
      equal(mountinfo(), before);
      await $`umount ${other}`.quiet();
    },
  );

  add("overlay: what another mount on the directory hides already does not hinder", "link", async (stage) => {
    await $`mkdir ${stage.holder}/etc/other && mount -t tmpfs other ${stage.holder}/etc/other`.quiet();
    await $`mount -t tmpfs etc ${stage.holder}/etc && ln -s ${stage.target} ${stage.file}`.quiet();
    await started(stage, "overlay", async () => equal(readFileSync(stage.file, "utf8"), "host\n"));
  });
}

add("a holder that is private is not changed: just covered", "link", async (stage) => {
  await $`mount --make-private ${stage.holder}`.quiet();
  const before = mountinfo();
  await started(stage, "auto", async () => equal(mountinfo(), before));
  const told = await $`${NSPIN} run --dry-run --steps --bind ${stage.source}:${stage.file} true`.text();
  match(told, /use method cover on .*not shared/);
});

add("a holder that is a slave still gets its master's mounts: just covered", "link", async (stage) => {
  const inner = `${stage.root}/inner`;
  await $`mkdir ${inner} ${stage.holder}/dir && mount --bind ${stage.holder} ${inner}`.quiet();
  await $`mount --make-slave ${inner}`.quiet();
  const before = mountinfo();
  const file = `${inner}/etc/resolv.conf`;
  const program = new Program(stage.command("--bind", `${stage.source}:${file}`));
  equal(await program.run(`cat ${file}`), "task");
  equal(mountinfo(), before);
  await $`mount -t tmpfs master ${stage.holder}/dir`.quiet();
  equal(await program.run(`grep -c ' ${inner}/dir ' /proc/self/mountinfo`), "1");
  equal(await program.end(), 0);
  await $`umount ${stage.holder}/dir && umount -l ${inner}`.quiet();
});

add(
  "a holder that is shared and a slave keeps both: its master's mounts arrive once",
  "link",
  async (stage) => {
    const outer = `${stage.root}/outer`;
    await $`mkdir ${outer} && mount --bind ${stage.holder} ${outer}`.quiet();
    await $`mount --make-slave ${outer} && mount --make-shared ${outer} && mkdir ${stage.holder}/dir`.quiet();
    const [file, point] = [`${outer}/etc/resolv.conf`, `${outer}/dir`];
    const program = new Program(stage.command("--bind", `${stage.source}:${file}`));
    equal(await program.run(`cat ${file}`), "task");
    await $`mount -t tmpfs above ${stage.holder}/dir`.quiet();
    const count = `grep -c ' ${point} ' /proc/self/mountinfo`;
    equal(await program.run(count), "1");
    equal(await $`sh -c ${count}`.text(), "1\n");
    await $`umount ${stage.holder}/dir`.quiet();
    equal(await program.run(count), "0");
    await program.run(`mount -t tmpfs below ${point}`);
    equal(await $`sh -c ${count}`.text(), "1\n");
    equal(await program.end(), 0);
    await $`umount -l ${outer}`.quiet();
  },
);

add("unpin takes away what pin left, and nothing else", "link", async (stage) => {
  const unpin = () => $`${NSPIN} unpin ${stage.file}`.quiet().nothrow();
  const refusal = /cannot find a mount of method pin on .*Invalid argument \(EINVAL\)\nnspin: hint: /;
  const inUse =
    /cannot unpin .*, on which process \d+ relies: Device or resource busy \(EBUSY\)\nnspin: hint: /;
  match((await unpin()).stderr.toString(), refusal);
  await started(stage, "pin", async (program) => {
    const pinned = mountinfo();
    match((await unpin()).stderr.toString(), inUse);
    equal(mountinfo(), pinned);
    equal((await $`${NSPIN} unpin --force ${stage.file}`.quiet()).exitCode, 0);
    equal(mountinfo(), stage.before);
    equal(await program.run(`cat ${stage.file}`), "task");
  });
  await started(stage, "pin", async () => {});
  equal((await unpin()).stderr.toString(), "");
  equal(mountinfo(), stage.before);
  await $`mount --bind ${stage.source} ${stage.target}`.quiet();
  const { exitCode, stderr } = await $`${NSPIN} unpin ${stage.target}`.quiet().nothrow();
  equal(exitCode, 125);
  match(stderr.toString(), refusal);
  await $`umount ${stage.target}`.quiet();
});

for (const method of methods) {
  add(`${method}: another program's pin, and its end, leave this one's file`, "plain", async (stage) => {
    const other = `${stage.root}/other.conf`;
    await $`echo other > ${other}`;
    await started(stage, method, async (program) => {
      const pin = stage.command("--method", "pin", "--bind", `${other}:${stage.file}`);
      for (const _ of ["once", "again"]) {
        equal(await $`${pin} cat ${stage.file}`.text(), "other\n");
        await $`${NSPIN} unpin --force ${stage.file}`.quiet();
        equal(mountinfo(), stage.before);
      }
      equal(await program.run(`cat ${stage.file}`), "task");
    });
  });

  if (method === "pin" || (method.startsWith("auto") && !rejoins)) continue; // they refuse directories
  add(
    `${method}: what lies in a directory that covers another is not the source's peer`,
    "plain",
    async (stage) => {
      const [source, target] = [`${stage.root}/source`, `${stage.holder}/dir`];
      await $`mkdir -p ${source}/sub ${target} && mount -t tmpfs sub ${source}/sub && mkdir ${source}/sub/x`.quiet();
      const program = new Program(
        stage.command("--method", ...method.split(" "), "--bind", `${source}:${target}`),
      );
      equal(await program.run(`mount -t tmpfs inner ${target}/sub/x && ls ${target}/sub`), "x");
      equal(stage.mounts().includes(`${source}/sub/x`), false);
      equal(await program.end(), 0);
      await $`umount ${source}/sub`.quiet();
    },
  );
}

add(
  "pin by name pins also where the mount is private: the host cannot replace the file",
  "plain",
  async (stage) => {
    await $`mount --make-private ${stage.holder}`.quiet();
    for (const _ of ["first", "second"]) {
      await started(stage, "pin", async (program) => {
        equal(
          (await $`sh -c ${actions["renames a new file over it"]?.does(stage)}`.quiet().nothrow()).exitCode,
          1,
        );
        equal(await program.run(`cat ${stage.file}`), "task");
        deepEqual(stage.mounts(), [stage.holder, stage.file]);
      });
    }
  },
);

for (const method of ["auto", STATIC]) {
  add(
    `${method}: eight launches at once on a file that none has pinned, told before`,
    "plain",
    async (stage) => {
      const words = stage.covering(method, ...(stage.entry === "run" ? ["-v"] : []));
      const all = Array.from({ length: 8 }, () => $`${words} cat ${stage.file}`.quiet().nothrow());
      for (const { stdout, stderr } of await Promise.all(all)) {
        match(`${stdout}${stderr}`, /^task\n/);
      }
      deepEqual(stage.mounts(), [stage.holder, ...(leaves(method, "plain") === 1 ? [stage.file] : [])]);
    },
  );
}

add(
  "unpin leaves what is another's: a read-only bind, a directory, one with mounts in it",
  "plain",
  async (stage) => {
    const directory = `${stage.holder}/etc`;
    const refusals: [string, string, RegExp][] = [
      [stage.file, `mount -o remount,bind,ro ${stage.file}`, /EINVAL/],
      [directory, ":", /EINVAL/],
      [directory, `mkdir ${directory}/sub && mount -t tmpfs sub ${directory}/sub`, /EINVAL/],
    ];
    for (const [path, more, error] of refusals) {
      await $`mount --bind ${path} ${path} && mount --make-private ${path} && sh -c ${more}`.quiet();
      const before = mountinfo();
      const { exitCode, stderr } = await $`${NSPIN} unpin ${path}`.quiet().nothrow();
      equal(exitCode, 125);
      match(stderr.toString(), error);
      equal(mountinfo(), before);
      await $`umount -l ${path}`.quiet();
    }
  },
  ["run"],
);

add("the root directory, a cover within another: refused, and nothing changes", "plain", async (stage) => {
  const refusals: [string[], RegExp][] = [
    [[`${stage.root}:/`], /cannot lay .* over \/: .*\(EBUSY\)\nnspin: hint: /],
    [[`${stage.source}:${stage.file}`, `${stage.root}:${stage.holder}/etc`], /\(EEXIST\)\nnspin: hint: /],
    [
      [`${stage.root}:${stage.holder}/etc`, `${stage.source}:${stage.file}`],
      // Without rejoin the directory is refused by itself, before the file is looked at.
      rejoins ? /\(EEXIST\)\nnspin: hint: / : /\(EOPNOTSUPP\)\nnspin: hint: a directory is not pinned/,
    ],
  ];
  for (const [binds, says] of refusals) {
    const options = binds.flatMap((bind) => ["--bind", bind]);
    const { exitCode, stderr } = await $`${stage.command(...options)} true`.quiet().nothrow();
    equal(exitCode, 125);
    match(stderr.toString(), says);
    equal(mountinfo(), stage.before);
  }
});

add(
  "-v: what was opened to tell the steps is not left in the program",
  "link",
  async (stage) => {
    const { stdout } = await $`${stage.covering("auto", "-v")} sh -c ${"ls /proc/self/fd | wc -l"}`.quiet();
    equal(stdout.toString(), "4\n"); // 0, 1, 2 and ls's own
  },
  ["run"],
);

if (!rejoins) {
  for (const method of ["rejoin", "overlay"]) {
    add(`${method} is refused, with the reason, and nothing is started`, "link", async (stage) => {
      const { exitCode, stderr, stdout } = await $`${stage.covering(method)} echo started`.quiet().nothrow();
      equal(exitCode, 125);
      equal(stdout.toString(), "");
      match(stderr.toString(), /cannot use method \w+ on .*\(EOPNOTSUPP\)\nnspin: hint: .*Linux 5\.15.*\n$/);
      equal(mountinfo(), stage.before);
    });
  }
}
