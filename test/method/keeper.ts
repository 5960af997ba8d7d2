// What a keeper does on this kernel, beyond the table of actions.ts. test/root/keeper.test.ts has the
// rest of it, with more tools than a small machine has.
import { deepEqual, equal } from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { $ } from "bun";
import { isAtRest, isRunning, keepersOf } from "../kit/keepers.ts";
import { mountinfo } from "../kit/mountinfo.ts";
import type { Program } from "../kit/program.ts";
import type { Kind, Stage } from "../kit/stage.ts";
import { until } from "../kit/until.ts";
import { actions } from "./actions.ts";
import { type Body, type Case, isSince, keeps, rejoins, staged, started } from "./case.ts";

const list: Case[] = [];
export const keeperCases: readonly Case[] = list;

/** How the mount is that holds the file. */
const holders = [...(rejoins ? ["shared"] : []), ...(keeps ? ["private"] : [])];
const SOURCES = 40;

/** By a launcher: what starts the keeper is the same code. */
function add(holder: string, name: string, kind: Kind, body: Body): void {
  const run = () =>
    staged(kind, "launcher", async (stage) => {
      await $`mount --make-${holder} ${stage.holder}`.quiet();
      const before = mountinfo();
      await body(stage);
      equal(mountinfo(), before);
    });
  list.push({ name: `auto's keeper, ${kind}, under a ${holder} mount: ${name}`, run });
}

const reads = async (program: Program, file: string, text: string) => {
  await until(async () => (await program.run(`cat ${file}`)) === text).catch(() => {});
  equal(await program.run(`cat ${file}`), text);
};

/** In the file's own directory, whoever mounts: the other one sees it, and its end. */
async function propagates(stage: Stage, program: Program): Promise<void> {
  const point = `${stage.holder}/etc/point`;
  mkdirSync(point);
  await $`mount -t tmpfs out ${point} && touch ${point}/out`.quiet();
  equal(await program.run(`ls ${point}`), "out");
  await $`umount ${point}`.quiet();
  equal(await program.run(`ls ${point}`), "");
  await program.run(`mount -t tmpfs in ${point} && touch ${point}/inside`);
  equal(existsSync(`${point}/inside`), true);
  await program.run(`umount ${point}`);
  equal(existsSync(`${point}/inside`), false);
  rmSync(point, { recursive: true });
}

const again = {
  plain: ["renames a new file over it", "unlinks it, and makes a new one", "makes a symbolic link of it"],
  link: ["replaces the symbolic link", "unlinks it, and makes a new one", "makes a plain file of it"],
};

for (const holder of holders) {
  for (const kind of ["plain", "link"] as const)
    add(holder, "covers again, each time, and all else propagates as before", kind, async (stage) => {
      await started(stage, "auto", async (program) => {
        const before = mountinfo();
        const does = [...again[kind], "renames the directory, and makes a new one", ...again.plain];
        for (const name of does) {
          await $`sh -c ${actions[name]?.does(stage)}`.quiet();
          await reads(program, stage.file, "task");
          equal(readFileSync(stage.file, "utf8"), "new\n");
          await until(async () => isAtRest(keepersOf(program.pid)[0] as number)); // before that a mount stays inside
          if (holder === "shared") await propagates(stage, program);
          equal(mountinfo(), before);
        }
        equal(keepersOf(program.pid).length, 1);
      });
    });

  add(
    holder,
    "a source that is replaced all the time: the task's files, no other",
    "plain",
    async (stage) => {
      const [running, odd] = [`${stage.root}/running`, `${stage.root}/odd`];
      await started(stage, "auto", async (program) => {
        writeFileSync(running, "");
        await program.run(
          `while [ -e ${running} ]; do read -r text < ${stage.file}; ` +
            `case $text in task*) ;; *) echo "$text" >> ${odd};; esac; done &`,
        );
        for (let i = 1; i <= SOURCES; i++) {
          writeFileSync(`${stage.source}.new`, `task ${i}\n`);
          await $`mv ${stage.source}.new ${stage.source}`;
        }
        // A mount takes another's place there, or all of the directory's does.
        const follows = isSince([6, 5]) || holder === "shared";
        await reads(program, stage.file, follows ? `task ${SOURCES}` : "task");
        rmSync(running);
        await program.run("wait");
        equal(existsSync(odd) ? readFileSync(odd, "utf8") : "", "");
        equal(readFileSync(stage.file, "utf8"), "host\n");
      });
    },
  );

  add(holder, "ends with the last process of the mount namespace", "plain", async (stage) => {
    let daemon = 0;
    let keeper = 0;
    await started(stage, "auto", async (program) => {
      daemon = Number(await program.run("setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!"));
      await until(async () => keepersOf(program.pid).length === 1);
      keeper = keepersOf(program.pid)[0] as number;
    });
    await $`sh -c ${actions["renames a new file over it"]?.does(stage)}`.quiet();
    const seen = () => $`nsenter --target ${daemon} --mount cat ${stage.file}`.quiet().text();
    await until(async () => (await seen()) === "task\n");
    equal(isRunning(keeper), true);
    process.kill(daemon, "SIGKILL");
    await until(async () => !isRunning(keeper));
  });
}

if (!keeps)
  add("private", "there is none before Linux 5.12: the rules of --no-keep", "plain", async (stage) => {
    await started(stage, "auto", async (program) => {
      deepEqual(keepersOf(program.pid), []);
      await $`sh -c ${actions["renames a new file over it"]?.does(stage)}`.quiet();
      equal(await program.run(`cat ${stage.file}`), "new");
    });
  });
