// --user and --caps, by setpriv(1): it is of util-linux, as nsenter is, and starts the program last.
import { CAPABILITIES } from "./contract.ts";
import { quote, Refusal } from "./errors.ts";
import { primaryGroup } from "./libc.ts";

export interface User {
  /** A name or a number. */
  readonly name: string;
  readonly group: string | undefined;
  /** As setpriv names them. */
  readonly caps: readonly string[];
}

/** The values of --user and --caps. Throws Refusal. */
export function readUser(value: string, caps: string | undefined): User {
  const [, name, group] =
    /^([^:\s\p{Cc}+-][^:\s\p{Cc}]*)(?::([^:\s\p{Cc}+-][^:\s\p{Cc}]*))?$/u.exec(value) ?? [];
  if (name === undefined) {
    throw new Refusal(`option --user needs NAME[:GROUP] or UID:GID, not ${quote(value)}`);
  }
  if (isNumber(name) && group === undefined) {
    throw new Refusal(`option --user needs a group with a number: ${name}:GID`);
  }
  return { name, group, caps: (caps === undefined ? [] : caps.split(",")).map(capability) };
}

function isNumber(name: string): boolean {
  return /^[0-9]+$/.test(name);
}

function capability(word: string): string {
  const name = word.toUpperCase().replace(/^CAP_/, "");
  if (!(CAPABILITIES as readonly string[]).includes(name)) {
    throw new Refusal(
      `option --caps needs capabilities, as net_bind_service,net_raw, not ${quote(word)}`,
      "capabilities(7) has them all",
    );
  }
  return name.toLowerCase();
}

/** With the group that passwd(5), or whatever nsswitch.conf(5) asks, has for the name. Throws Refusal. */
export function withGroup<Options extends { readonly user?: User }>(options: Options): Options {
  const { user } = options;
  if (user === undefined || user.group !== undefined) return options;
  const group = primaryGroup(user.name);
  if (group === undefined)
    throw new Refusal(`cannot find user ${quote(user.name)}`, "'getent passwd' shows them");
  return { ...options, user: { ...user, group: String(group) } };
}

/**
 * To setresuid(2) 2^32-1 says to stay who one is, here root; and of a larger number setpriv takes the
 * lowest 32 bits, which can be root's.
 */
function refuseNoId(id: string): void {
  if (isNumber(id) && Number(id) >= 0xffff_ffff) {
    throw new Refusal(
      `option --user cannot use the number ${id}`,
      "4294967294 is the largest of a user or group",
    );
  }
}

/**
 * A number brings no other groups: it need not be in passwd(5). Without a group setpriv would leave
 * root's. Throws Refusal.
 */
export function setpriv({ name, group, caps }: User): string[] {
  if (group === undefined) throw new Error("the user has no group");
  refuseNoId(name);
  refuseNoId(group);
  const sets = ["-all", ...caps.map((cap) => `+${cap}`)].join(",");
  return [
    "/usr/bin/setpriv", // not by PATH, which sudo may leave to the user
    ...[`--reuid=${name}`, `--regid=${group}`, isNumber(name) ? "--clear-groups" : "--init-groups"],
    ...[`--inh-caps=${sets}`, `--ambient-caps=${sets}`, `--bounding-set=${sets}`],
    "--",
  ];
}
