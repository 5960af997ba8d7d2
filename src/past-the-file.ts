// What resolves names for a program past its resolv.conf: glibc asks it by a socket, and it answers by the
// host's servers.
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { mountTable } from "./mountinfo.ts";
import type { Cover } from "./plan.ts";
import { statusOf } from "./system-error.ts";

export interface PastTheFile {
  readonly name: "nss-resolve" | "nscd";
  readonly what: string;
  readonly remedy: string;
}

/** For a program with these covers, by what is here now. */
export function pastTheFile(covers: readonly Pick<Cover, "source" | "target" | "isOwn">[]): PastTheFile[] {
  const here = (path: string) => seen(path, covers);
  const found: PastTheFile[] = [];
  if (asksResolved(textOf(here("/etc/nsswitch.conf"))) && isThere(here("/run/systemd/resolve")))
    found.push({
      name: "nss-resolve",
      what: "systemd-resolved, by 'resolve' in the line 'hosts:' of /etc/nsswitch.conf",
      remedy: "--own-dns",
    });
  if (isThere(here("/run/nscd/socket")))
    found.push({
      name: "nscd",
      what: "nscd, by /run/nscd/socket",
      remedy: "--own-dns",
    });
  return found;
}

/** As glibc reads a line (ffi/aside/own-dns.c has why): that of hosts. */
const HOSTS = /^[ \t\v\f\r]*hosts(?:[ \t\v\f\r:]|$)/;

/** Is systemd-resolved asked before the servers of resolv.conf, nsswitch.conf(5)? The last such line counts. */
function asksResolved(nsswitch: string): boolean {
  const line = nsswitch.split("\n").findLast((one) => HOSTS.test(one)) ?? "";
  const services = line
    .replace(HOSTS, "")
    .replaceAll(/#.*|\[[^\]]*\]|[\s:]+/g, " ")
    .trim()
    .split(" ");
  const [resolve, dns] = [services.indexOf("resolve"), services.indexOf("dns")];
  return resolve >= 0 && (dns < 0 || resolve < dns);
}

/**
 * The directories are their daemons' users', who can mount FUSE there, or lay a link to it, and its server could let
 * this wait for ever: so no link is followed out of the directory, and what is not looked at may be there.
 */
function isThere(path: string, links = 0): boolean {
  const MOST_LINKS = 40; // path_resolution(7)
  if (path === "" || links > MOST_LINKS) return false;
  if (isOnFuse(path)) return true;
  try {
    if (!lstatSync(path).isSymbolicLink()) return true;
    const leads = readlinkSync(path);
    return leads.includes("/") || isThere(join(dirname(path), leads), links + 1);
  } catch {
    return false; // ENOTDIR, EACCES: nobody can ask it either
  }
}

/** It is a mount of FUSE, or its directory is. */
function isOnFuse(path: string): boolean {
  const points = [path, dirname(path)];
  try {
    return mountTable().some(({ point, type }) => points.includes(point) && type.startsWith("fuse"));
  } catch {
    return false; // a program can have another /proc
  }
}

/** Where, here, is what the program sees at that path? What --own-dns makes says nothing of others. */
function seen(path: string, covers: readonly Pick<Cover, "source" | "target" | "isOwn">[]): string {
  for (const { source, target, isOwn } of covers)
    if (path === target || path.startsWith(`${target}/`))
      return isOwn ? "" : source + path.slice(target.length);
  return path;
}

function textOf(path: string): string {
  try {
    return statusOf(path)?.isFile() ? readFileSync(path, "utf8") : "";
  } catch {
    return ""; // glibc goes by its default then, which is dns and files
  }
}
