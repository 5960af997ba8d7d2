// nspin check: is every program isolated as it was planned?
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { Refusal, tryHelp } from "../errors.ts";
import { toCheckDocument } from "../observe/documents.ts";
import { KINDS } from "../observe/findings.ts";
import type { Program } from "../observe/inventory.ts";
import { print, printable, printableJson } from "../print.ts";
import { type Command, flag, readOptions } from "./command.ts";
import { select, toLines } from "./programs.ts";

const args = {
  json: { type: "boolean", description: "print JSON, as check.schema.json in /usr/share/doc/nspin has it" },
  prometheus: {
    type: "boolean",
    description: "print metrics, for the textfile collector of Prometheus's node_exporter",
  },
} as const satisfies ArgsDef;

const Options = v.object({ json: flag("json"), prometheus: flag("prometheus") });

export const check: Command = {
  meta: { name: "check", description: "Say what is not isolated as it was planned, and what to do about it" },
  usage: "[OPTIONS] [PID|NETNS]...",
  examples: ["nspin check", "nspin check task1", "nspin check --prometheus"],
  statuses: { 0: "each program is isolated as planned", 1: "one is not: a line for each finding" },
  args,
  async action(words) {
    const { options, rest } = readOptions(args, Options, words);
    if (options.json && options.prometheus)
      throw new Refusal("option --json and --prometheus are two forms: give one", tryHelp);
    const checked = await select(rest, true);
    if (options.json) print(printableJson(toCheckDocument(checked)));
    else if (options.prometheus) print(toMetrics(checked));
    else for (const line of checked.flatMap(toLines)) print(line);
    return checked.some(({ findings }) => findings.length > 0) ? 1 : 0;
  },
};

/** Prometheus's text format. */
function toMetrics(programs: readonly Program[]): string {
  const metric = (name: string, help: string, samples: readonly string[]) => [
    ...[`# HELP nspin_${name} ${help}`, `# TYPE nspin_${name} gauge`],
    ...samples.map((sample) => `nspin_${name}${sample}`),
  ];
  const labels = (values: Record<string, string>) =>
    Object.entries(values).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  const isolated = programs.map(({ process, netnsName, findings }) => {
    const of = labels({ pid: String(process.pid), program: process.name, netns: netnsName ?? "" });
    return `{${of}} ${findings.length === 0 ? 1 : 0}`;
  });
  const counts = KINDS.map(([kind]) => {
    const found = programs.filter(({ findings }) => findings.some((one) => one.kind === kind));
    return `{${labels({ kind })}} ${found.length}`;
  });
  return [
    ...metric("programs", "Programs that run under nspin.", [` ${programs.length}`]),
    ...metric("isolated", "Whether the program is isolated as it was planned.", isolated),
    ...metric("findings", "Programs that a finding of this kind is about.", counts),
  ].join("\n");
}

function escapeLabel(value: string): string {
  return printable(value).replace(/[\\"]/g, "\\$&");
}
