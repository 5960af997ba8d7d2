// umount(2) goes to every peer of the mount below: what one program unmounts,
// another, and the host, must not lose.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mountinfo } from "../kit/mountinfo.ts";
import { NSPIN } from "../kit/nspin.ts";
import { Program } from "../kit/program.ts";
import { Stage } from "../kit/stage.ts";
import { enterBy, entries, start } from "./start.ts";

const kinds = { pin: "plain", rejoin: "link", overlay: "plain" } as const;
type Method = keyof typeof kinds;
const methods = Object.keys(kinds) as Method[];

/** What the other program does, to the file that both have covered. */
const unmounts = {
  once: (file: string) => `umount ${file}`,
  twice: (file: string) => `umount ${file}; umount ${file}`,
  "three times": (file: string) => `umount ${file}; umount ${file}; umount ${file}`,
  lazily: (file: string) => `umount -l ${file}`,
  "until nothing is left": (file: string) => `while umount ${file}; do :; done`,
  "lazily until nothing is left": (file: string) => `while umount -l ${file}; do :; done`,
};

async function onStage(kind: "plain" | "link", body: (stage: Stage) => Promise<void>) {
  const stage = await Stage.make(kind);
  try {
    await body(stage);
  } finally {
    await stage.end();
  }
}

test.each(
  methods.flatMap((method) =>
    entries.flatMap((entry) =>
      Object.entries(unmounts).map(([how, does]) => [method, entry, how, does] as const),
    ),
  ),
)("%s, by %s: another program unmounts its own cover %s", (method, entry, how, does) =>
  onStage(kinds[method], async (stage) => {
    const launch = (by: (typeof entries)[number]) =>
      new Program(enterBy(by, ["--method", method, "--bind", `${stage.source}:${stage.file}`]));
    const [program, other] = [launch(entry), launch("launcher")];
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    await other.run(":");
    const table = mountinfo();
    await other.run(does(stage.file).replaceAll("umount", "umount 2>/dev/null"));
    expect(await program.run(`cat ${stage.file}`)).toBe("task");
    if (how !== "three times" && !how.includes("nothing")) expect(mountinfo()).toBe(table);
    expect(readFileSync(stage.file, "utf8")).toBe("host\n");
    // Mounts still go both ways.
    await program.run(`mkdir ${stage.holder}/dir && mount -t tmpfs seen ${stage.holder}/dir`);
    expect(stage.mounts()).toContain(`${stage.holder}/dir`);
    await program.end();
    await other.end();
    await start([NSPIN, "unpin", stage.file]);
    await start(["umount", `${stage.holder}/dir`]);
    expect(mountinfo()).toBe(stage.before);
  }),
);
