// What is not as it was planned, and what to do about it.
import { dirname } from "node:path";
import { meantBy, OWN_DNS } from "./covers.ts";
import type { Answer } from "./inside.ts";
import type { Seen } from "./inventory.ts";

/** In the order in which they matter; a program's state is the first of them that is one. */
export const KINDS = [
  ["unanswered", "a file system that it sees does not answer"],
  ["netns-differs", "it is not in the network namespace that its files are for"],
  ["detached", "it reads the host's file"],
  ["source-replaced", "it reads a file that has been replaced"],
  ["netns-gone", "its network namespace has no name any more"],
  ["propagation-lost", "its mounts do not reach the host"],
  ["no-keeper", "nothing covers its file again when the host replaces it"],
  ["silent-resolver", "a DNS server on its own loopback does not answer"],
  ["past-the-file", "its lookups are answered for the host, by a socket"],
] as const;

export type Kind = (typeof KINDS)[number][0];

/** What ps shows of a program: that it is as it was planned, or what is not. */
export const STATES = [
  "ok",
  "unanswered",
  "netns-differs",
  "detached",
  "source-replaced",
  "netns-gone",
  "propagation-lost",
] as const;

export type State = (typeof STATES)[number];

export function stateOf(findings: readonly Finding[]): State {
  const states: readonly string[] = STATES;
  return (findings.find(({ kind }) => states.includes(kind))?.kind ?? "ok") as State;
}

export function isUnanswered(findings: readonly Finding[]): boolean {
  return findings.some(({ kind }) => kind === "unanswered");
}

export interface Finding {
  readonly kind: Kind;
  readonly what: string;
  readonly remedy: string;
}

/** The gravest first. */
export function findingsOf(program: Seen): Finding[] {
  const findings = [
    ...unanswered(program),
    ...namespaces(program),
    ...files(program),
    ...propagation(program),
    ...keeping(program),
    ...resolvers(program),
  ];
  const rank = (kind: Kind) => KINDS.findIndex(([name]) => name === kind);
  return findings.sort((a, b) => rank(a.kind) - rank(b.kind));
}

const restart = "start it again";
/** No keeper could stay beside an overlay, see commands/refresh.ts. */
const refresh = ({ process, covers }: Seen) =>
  covers.some(({ method }) => method === "overlay") ? restart : `nspin refresh ${process.pid}`;

/** Where a keeper does not show the source, that is missing, or cannot be shown. */
const renew = (program: Seen, source: string) =>
  program.keeper === undefined
    ? refresh(program)
    : `put ${source} back, which its keeper then shows, or ${restart}`;

function unanswered({ seen }: Seen): Finding[] {
  if (seen !== null) return [];
  return [
    {
      kind: "unanswered",
      what: "a file system that it sees does not answer, so nobody can tell what it reads",
      remedy: "look for a FUSE or network file system whose server has stopped: findmnt --task PID",
    },
  ];
}

function namespaces({ plannedNetns, netnsName, isHostNetns, netns }: Seen): Finding[] {
  if (plannedNetns === undefined || plannedNetns === netnsName) return [];
  if (netnsName !== undefined || isHostNetns) {
    const where = netnsName === undefined ? "the host's network namespace" : `network namespace ${netnsName}`;
    return [
      {
        kind: "netns-differs",
        what: `it is in ${where}, and its files are those of ${plannedNetns}`,
        remedy: restart,
      },
    ];
  }
  return [
    {
      kind: "netns-gone",
      what: `its network namespace, ${netns}, is not that of /run/netns/${plannedNetns} any more`,
      remedy: `the namespace lives as long as the program does: ${restart} once the name is there again`,
    },
  ];
}

/**
 * Files of /etc/netns/NAME that it does not read, and of which the mount table has no cover: lost, or never
 * asked for (--no-etc, or they came later). The kernel keeps nothing that tells.
 */
export function unplanned({ seen, covers }: Seen): Answer["files"] {
  const isCovered = (target: string) => covers.some((cover) => cover.target === target);
  return (seen?.files ?? []).filter(
    ({ source, target, isSeen }) => !isSeen && !isCovered(target) && source !== OWN_DNS,
  );
}

/** What --own-dns covers, and is there without a cover: that it was asked for, what is left of it tells. */
export function lostOfOwnDns({ seen }: Seen): Answer["files"] {
  return (seen?.files ?? []).filter(({ source }) => source === OWN_DNS);
}

/** Directories in which something was covered that nothing tells of: no file that is known to be lost is in there. */
export function forgotten(program: Seen): readonly string[] {
  const lost = [...unplanned(program), ...lostOfOwnDns(program)].map(({ target }) => dirname(target));
  return program.bare.filter((directory) => !lost.includes(directory));
}

function files(program: Seen): Finding[] {
  const { seen, covers } = program;
  const replaced = (target: string, what: string, remedy: string): Finding => ({
    kind: "source-replaced",
    what: `${target}: ${what}`,
    remedy,
  });
  const hidden = (target: string): Finding => ({
    kind: "detached",
    what: `${target}: another mount lies on what covers it`,
    remedy: `nspin enter ${program.process.pid} -- umount ${target}`,
  });
  const findings: Finding[] = [];
  for (const { target, source, isSeen } of seen?.files ?? []) {
    const cover = covers.find((one) => one.target === target);
    if (isSeen) continue;
    if (source === OWN_DNS)
      findings.push({
        kind: "detached",
        what: `${target}: nothing covers it any more, or the host has made it since: it was started with --own-dns`,
        remedy: program.keeper === undefined ? refresh(program) : restart,
      });
    else if (cover === undefined)
      findings.push({
        kind: "detached",
        what: `${target}: nothing covers it, so it reads the host's and not ${source}: its cover is gone, or it was started without one (--no-etc)`,
        remedy:
          program.keeper === undefined
            ? `${refresh(program)}, if it is to read that; ${restart}, if it read another, by --bind`
            : `${restart}, if it is to read that`,
      });
    else if (cover.isHidden || (cover.source === source && !cover.isRemoved)) findings.push(hidden(target));
    else {
      const what = `${source} was replaced or removed, and it reads the old one`;
      findings.push(replaced(target, what, renew(program, source)));
    }
  }
  for (const cover of covers.filter(({ isOnHost }) => !isOnHost)) {
    const { target, source } = cover;
    if (cover.isHidden) findings.push(hidden(target));
    else if (cover.isRemoved) {
      const what = `it reads ${cover.isCopy ? "a copy of " : ""}${source}, which was removed or replaced`;
      const meant = meantBy(cover);
      findings.push(replaced(target, what, meant === undefined ? restart : renew(program, meant)));
    }
  }
  for (const directory of forgotten(program))
    findings.push({
      kind: "detached",
      what: `${directory}: nothing is covered in there any more, and nothing tells what was`,
      remedy: restart,
    });
  return findings;
}

function propagation({ apart }: Seen): Finding[] {
  if (apart.length === 0) return [];
  const points = apart.map(({ point }) => point);
  const shown = points.slice(0, 3).join(", ") + (points.length > 3 ? ` and ${points.length - 3} more` : "");
  const isSlave = apart.every((one) => one.isSlave);
  return [
    {
      kind: "propagation-lost",
      what: `what it mounts in ${shown} does not reach the host${isSlave ? "" : ", and what the host mounts there does not reach it"}`,
      remedy: `${restart}, where / is shared with the host: systemd's PrivateTmp=, ProtectSystem= and the like make it a slave`,
    },
  ];
}

/** Pin and overlay hold without one. */
function keeping(program: Seen): Finding[] {
  const { keeper, covers } = program;
  const isLoose = covers.some(({ method }) => method === "rejoin" || method === "cover");
  if (keeper !== undefined || !isLoose) return [];
  return [
    {
      kind: "no-keeper",
      what: "no keeper stays beside it: once the host replaces its file, it reads the host's",
      remedy: refresh(program),
    },
  ];
}

function resolvers({ seen, plannedNetns }: Seen): Finding[] {
  const file =
    plannedNetns === undefined ? "the file that covers it" : `/etc/netns/${plannedNetns}/resolv.conf`;
  const silent = (seen?.silent ?? []).map(
    (server): Finding => ({
      kind: "silent-resolver",
      what: `nothing answers at ${server}, its DNS server, which is its own network namespace's loopback`,
      remedy: `name one in ${file} that can be reached from there`,
    }),
  );
  const past = (seen?.past ?? []).map(
    ({ what, remedy }): Finding => ({
      kind: "past-the-file",
      what: `its lookups are answered for the host by ${what}`,
      remedy: `start it again with ${remedy}`,
    }),
  );
  return [...silent, ...past];
}
