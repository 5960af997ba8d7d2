// The JSON of ps and check: docs/ps.schema.json and check.schema.json are written from these schemas.
import * as v from "valibot";
import { KINDS, STATES, stateOf } from "./findings.ts";
import type { Program } from "./inventory.ts";
import { since } from "./processes.ts";

const pid = v.pipe(v.number(), v.integer(), v.minValue(1));
const described = <Schema extends v.GenericSchema>(schema: Schema, text: string) =>
  v.pipe(schema, v.description(text));

const Identity = {
  pid: described(pid, "process id of the program"),
  program: described(v.string(), "its name; other users may choose it, so it can be anything"),
  netns: described(
    v.nullable(v.string()),
    "name of its network namespace under /run/netns; null where that has none",
  ),
};

const Cover = v.object({
  source: described(v.string(), "the file that it shall see"),
  target: described(v.string(), "where"),
  method: v.picklist(["rejoin", "pin", "overlay", "cover"]),
  readOnly: v.boolean(),
});

export const PsDocument = v.array(
  v.object({
    ...Identity,
    netnsInode: v.pipe(v.number(), v.integer()),
    covers: v.array(Cover),
    servers: described(
      v.nullable(v.array(v.string())),
      "the DNS servers in the resolv.conf that it sees; null where it sees none, or that cannot be told",
    ),
    keeper: described(v.nullable(pid), "process id of its keeper"),
    state: v.picklist(STATES),
    since: described(v.pipe(v.string(), v.isoTimestamp()), "when the program was started"),
  }),
);

export const CheckDocument = v.object({
  programs: described(v.pipe(v.number(), v.integer(), v.minValue(0)), "how many were looked at"),
  findings: v.array(
    v.object({
      ...Identity,
      kind: v.picklist(KINDS.map(([kind]) => kind)),
      what: v.string(),
      remedy: v.string(),
    }),
  ),
});

const identityOf = ({ process, netnsName }: Program) => ({
  pid: process.pid,
  program: process.name,
  netns: netnsName ?? null,
});

export function toPsDocument(programs: readonly Program[]): v.InferOutput<typeof PsDocument> {
  return programs.map((program) => ({
    ...identityOf(program),
    netnsInode: program.netns,
    covers: program.covers.map(({ source, target, method, isReadOnly }) => ({
      ...{ source, target, method },
      readOnly: isReadOnly,
    })),
    servers: program.seen?.servers ? [...program.seen.servers] : null,
    keeper: program.keeper?.pid ?? null,
    state: stateOf(program.findings),
    since: since(program.process).toISOString(),
  }));
}

export function toCheckDocument(programs: readonly Program[]): v.InferOutput<typeof CheckDocument> {
  return {
    programs: programs.length,
    findings: programs.flatMap((program) =>
      program.findings.map((finding) => ({ ...identityOf(program), ...finding })),
    ),
  };
}
