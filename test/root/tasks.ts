// A host with tasks: network namespaces with a resolv.conf each. For a container only.
import { afterEach, beforeEach } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Validator } from "@cfworker/json-schema";
import { $ } from "bun";
import { NSPIN } from "../kit/nspin.ts";
import { ownResolvConf } from "../kit/own-etc.ts";
import { Program } from "../kit/program.ts";
import { start } from "./start.ts";

const HOST = "/run/systemd/resolve/resolv.conf";
export const HOST_SERVER = "192.0.2.53";

/** The task's file in /etc/netns. */
export const fileOf = (id: string) => `/etc/netns/${id}/resolv.conf`;

/** Task N's DNS server is 10.0.0.N. /etc/resolv.conf: as systemd-resolved makes it, or a plain file. Returns how to end it. */
export async function makeTasks(
  ids: readonly string[],
  kind: "link" | "plain" = "link",
): Promise<() => Promise<void>> {
  await ownResolvConf(HOST);
  writeFileSync(HOST, `nameserver ${HOST_SERVER}\n`);
  if (kind === "plain") await $`rm /etc/resolv.conf && cp ${HOST} /etc/resolv.conf`;
  for (const [i, id] of ids.entries()) {
    await $`ip netns add ${id}`;
    mkdirSync(`/etc/netns/${id}`, { recursive: true });
    writeFileSync(fileOf(id), `nameserver 10.0.0.${i + 1}\n`);
  }
  return async () => {
    await $`umount -l /etc /run`;
  };
}

/** Each test of this file, or describe(), has such a host; the test's programs end before it. */
export function withTasks(ids: readonly string[], kind?: "link" | "plain"): void {
  let end: () => Promise<void>;
  beforeEach(async () => {
    end = await makeTasks(ids, kind);
  });
  afterEach(async () => {
    await endPrograms();
    await end();
  });
}

const programs: Program[] = [];

/** A program of the test's that is under way. */
export async function begin(words: readonly string[]): Promise<Program> {
  const program = new Program(words);
  programs.push(program);
  await program.run("true");
  return program;
}

export async function endPrograms(): Promise<void> {
  for (const program of programs.splice(0)) await program.end();
}

/** By rename, as an editor or a daemon does it. */
export async function replace(file: string, text: string): Promise<void> {
  writeFileSync(`${file}.new`, text);
  await $`sh -c ${`mv -fT ${file}.new ${file}`}`;
}

/** What the command prints as JSON, which is as its published schema says. */
export async function json(command: "ps" | "check", ...words: string[]) {
  const { stdout, stderr, status } = await start([NSPIN, command, "--json", ...words]);
  return { printed: readJson(command, stdout), stderr, status };
}

/** As its published schema says; throws else. */
export function readJson(command: "ps" | "check" | "doctor", text: string) {
  const printed = JSON.parse(text);
  const schema = JSON.parse(readFileSync(`docs/${command}.schema.json`, "utf8"));
  const { valid, errors } = new Validator(schema, "7").validate(printed);
  if (!valid) throw new Error(JSON.stringify(errors));
  return printed;
}
