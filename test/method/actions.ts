// What the host, or another program, may do to the file while the program runs,
// and what comes of it by each method: run by cases.ts, told in docs/methods.md.
import type { Stage } from "../kit/stage.ts";

type Release = readonly [major: number, minor: number];

export interface Seen {
  /** "ok", or the error that the host's command ends with. */
  readonly host: "ok" | "busy";
  /** What the program then reads; "task" on kernels before `since`. */
  readonly program: string;
  readonly told: string;
  readonly since?: Release;
  /** The same under a mount that is not shared. */
  readonly sinceAlone?: Release;
}

const task: Seen = { host: "ok", program: "task", told: "kept" };
const refused: Seen = { host: "busy", program: "task", told: "kept: the host gets EBUSY" };
const follows: Seen = { host: "ok", program: "new", told: "follows" };
/** Another mount takes the place of the directory's, or, since Linux 6.5, of the file's alone. */
const exchanged: Seen = { ...follows, told: "follows (Linux 5.15)", since: [5, 15], sinceAlone: [6, 5] };
const lost = (program: string): Seen => ({ host: "ok", program, told: "**lost**" });
const gone: Seen = { host: "ok", program: "No such file or directory", told: "**lost**: no file" };
/** cover: the file is under a mount that is not shared, where auto with --no-keep does no more. */
export const methods = ["auto", "pin", "rejoin", "overlay", "cover"] as const;
export type Method = (typeof methods)[number];
/** By auto it is kept, by cover as by rejoin, where no other is said. */
type Row = Readonly<Record<"pin" | "rejoin" | "overlay", Seen> & { auto?: Seen; cover?: Seen }>;
const all: Row = { pin: task, rejoin: task, overlay: task };

export function seenBy(method: Method, row: Row): Seen {
  return row[method] ?? (method === "auto" ? task : row.rejoin);
}

export type Action = { does: (stage: Stage) => string; plain?: Row; link?: Row };

export const actions: Readonly<Record<string, Action>> = {
  "renames a new file over the target of the link": {
    does: ({ root, target }) => `echo new > ${root}/new; mv -f ${root}/new ${target}`,
    link: all,
  },
  "renames a new file over it": {
    does: ({ file }) => `echo new > ${file}.new; mv -f ${file}.new ${file}`,
    plain: { pin: refused, rejoin: lost("new"), overlay: task },
  },
  "renames ten new files over it, one by one": {
    does: ({ file }) =>
      `for i in 0 1 2 3 4 5 6 7 8 9; do echo $i > ${file}.new; mv -f ${file}.new ${file} || exit 1; done`,
    plain: { pin: refused, rejoin: lost("9"), overlay: task },
  },
  "unlinks it, or the target of the link": {
    does: ({ target }) => `rm ${target}`,
    plain: {
      auto: { ...gone, told: "no file, until the host makes one" },
      pin: refused,
      rejoin: gone,
      overlay: task,
    },
    link: all,
  },
  "unlinks it, and makes a new one": {
    does: ({ file }) => `rm ${file} && sleep 0.05 && echo new > ${file}`,
    plain: { pin: refused, rejoin: lost("new"), overlay: task },
    link: { pin: refused, rejoin: lost("new"), overlay: task },
  },
  "makes a symbolic link of it": {
    does: ({ root, file }) =>
      `echo new > ${root}/new; ln -s ${root}/new ${file}.new; mv -fT ${file}.new ${file}`,
    plain: { pin: refused, rejoin: lost("new"), overlay: task },
  },
  "makes a plain file of it": {
    does: ({ file }) => `echo new > ${file}.new; mv -fT ${file}.new ${file}`,
    link: { pin: refused, rejoin: lost("new"), overlay: task },
  },
  "writes it in place": { does: ({ target }) => `echo new > ${target}`, plain: all, link: all },
  "replaces the symbolic link": {
    does: ({ root, file }) =>
      `echo new > ${root}/new; ln -s ${root}/new ${file}.new; mv -fT ${file}.new ${file}`,
    link: { pin: refused, rejoin: lost("new"), overlay: task },
  },
  "renames the directory, and makes a new one": {
    does: ({ holder }) =>
      `mv ${holder}/etc ${holder}/old && mkdir ${holder}/etc && echo new > ${holder}/etc/resolv.conf`,
    plain: { pin: lost("new"), rejoin: lost("new"), overlay: lost("new") },
    link: { pin: lost("new"), rejoin: lost("new"), overlay: lost("new") },
  },
  "renames the source": {
    does: ({ source }) => `echo new > ${source}.new; mv ${source}.new ${source}`,
    plain: { ...all, auto: exchanged },
    link: { ...all, auto: exchanged },
  },
  "writes the source in place": {
    does: ({ source }) => `echo new > ${source}`,
    plain: { auto: follows, pin: follows, rejoin: follows, overlay: follows },
  },
  "binds over the file": {
    does: ({ root, file }) => `echo new > ${root}/new; mount --bind ${root}/new ${file}`,
    plain: all,
    link: all,
  },
  "binds the file onto itself, and unmounts that": {
    does: ({ file }) => `mount --bind ${file} ${file} && umount ${file}`,
    plain: all,
  },
  "makes its mounts slaves": {
    does: ({ holder }) => `mount --make-rslave ${holder}`,
    plain: all,
    link: all,
  },
  "makes its mounts private": {
    does: ({ holder }) => `mount --make-rprivate ${holder}`,
    plain: all,
    link: all,
  },
  "unmounts the mount that holds it": {
    does: ({ holder }) => `umount ${holder}`,
    plain: { pin: refused, rejoin: task, overlay: task },
    link: { pin: refused, rejoin: task, overlay: task },
  },
};

/** What another program does that has the same file covered, by the same method. */
export const others: typeof actions = {
  "unmounts its cover": { does: ({ file }) => `umount ${file}`, plain: all, link: all },
  "unmounts its cover, and what then lies there": {
    // umount(8) follows a link, and does not find the link's own mount then.
    does: ({ file }) => `umount ${file}; umount ${file} 2>&- || [ -L ${file} ]`,
    plain: all,
    link: all,
  },
  "unmounts until nothing is left there": {
    // By auto its keeper covers it again, each time.
    does: ({ file }) => `i=0; while [ $((i += 1)) -le 50 ] && umount ${file} 2>&-; do :; done`,
    plain: all,
    link: all,
  },
};

/** The same as tables for people, in Markdown. */
export function actionTable(): string {
  return `${table("the host", actions)}\n\n${table("another program", others)}`;
}

function table(who: string, list: typeof actions): string {
  const kinds = { link: "symbolic link", plain: "plain file" } as const;
  const rows = Object.entries(list).flatMap(([does, action]) =>
    Object.entries(kinds).flatMap(([kind, words]) => {
      const row = action[kind as keyof typeof kinds];
      return row
        ? [`| ${does} | ${words} | ${methods.map((method) => seenBy(method, row).told).join(" | ")} |`]
        : [];
    }),
  );
  return [
    `| ${who} | the file is a | ${methods.join(" | ")} |`,
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
