// What resolves names for a program past its resolv.conf: glibc asks it by a socket, and it answers by the
// host's servers.
import { readFileSync } from "node:fs";
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
  if (
    asksResolved(textOf(here("/etc/nsswitch.conf"))) &&
    statusOf(here("/run/systemd/resolve")) !== undefined
  )
    found.push({
      name: "nss-resolve",
      what: "systemd-resolved, by 'resolve' in the line 'hosts:' of /etc/nsswitch.conf",
      remedy: "--own-dns",
    });
  if (statusOf(here("/run/nscd/socket")) !== undefined)
    found.push({
      name: "nscd",
      what: "nscd, by /run/nscd/socket",
      remedy: "--own-dns",
    });
  return found;
}

/** Is systemd-resolved asked before the servers of resolv.conf, nsswitch.conf(5)? */
function asksResolved(nsswitch: string): boolean {
  const services = /^\s*hosts:([^#\n]*)/m.exec(nsswitch)?.[1]?.trim().split(/\s+/) ?? [];
  const [resolve, dns] = [services.indexOf("resolve"), services.indexOf("dns")];
  return resolve >= 0 && (dns < 0 || resolve < dns);
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
