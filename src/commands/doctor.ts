// nspin doctor: is this host, or the image that is being made, fit for nspin?
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { quote, tryHelp } from "../arguments.ts";
import { examineCalls } from "../doctor/calls.ts";
import { CHECKS, type Check, type DoctorDocument, type Finding } from "../doctor/finding.ts";
import * as host from "../doctor/host.ts";
import { examineMethod, examineResolvConf } from "../doctor/resolv-conf.ts";
import { Refusal } from "../errors.ts";
import { toText } from "../observe/documents.ts";
import { print, printable } from "../print.ts";
import { type Command, flag, readOptions } from "./command.ts";

const args = {
  image: {
    type: "boolean",
    description:
      "only what is in this file system: not the kernel, privilege and mounts that it is built with",
  },
  json: { type: "boolean", description: "print JSON, as docs/doctor.schema.json has it" },
} as const satisfies ArgsDef;

const Options = v.object({ image: flag("image"), json: flag("json") });

export const doctor: Command = {
  meta: { name: "doctor", description: "Tell whether this host, or an image, is fit for nspin" },
  usage: "[OPTIONS]",
  examples: ["nspin doctor", "chroot /mnt/image nspin doctor --image"],
  statuses: { 0: "it is fit; there may be notes", 1: "there is a problem" },
  args,
  async action(words) {
    const { options, rest } = readOptions(args, Options, words);
    if (rest[0] !== undefined) throw new Refusal(`doctor takes no argument ${quote(rest[0])}`, tryHelp);
    const document = await examine(options.image);
    print(options.json ? toText(document) : toLines(document).join("\n"));
    return document.fit ? 0 : 1;
  },
};

type Document = v.InferOutput<typeof DoctorDocument>;

async function examine(isImage: boolean): Promise<Document> {
  const self = host.self();
  const mayProbe = self.mayMount && !isImage;
  const ofImage: Partial<Record<Check, () => Finding[]>> = {
    nsenter: () => host.examineNsenter(mayProbe),
    "resolv.conf": examineResolvConf,
    "past-the-file": host.examinePast,
    netns: host.examineNetns,
  };
  const ofHost: Partial<Record<Check, () => Finding[] | Promise<Finding[]>>> = {
    privilege: () => host.examinePrivilege(self),
    calls: () => (mayProbe ? examineCalls(self.isFiltered) : []),
    propagation: host.examinePropagation,
    method: examineMethod,
    keeper: host.examineKeeper,
    memory: host.examineMemory,
  };
  const examinations = { ...ofImage, ...(isImage ? {} : ofHost) };
  const findings: Document["findings"] = [];
  for (const [check] of CHECKS)
    for (const { level, what, remedy = null } of (await examinations[check]?.()) ?? [])
      findings.push({ check, level, what, remedy });
  return { fit: findings.every(({ level }) => level !== "problem"), findings };
}

function toLines({ findings }: Document): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings.flatMap(({ check, level, what, remedy }) => [
    `${level.padEnd("problem".length)}  ${check.padEnd(width)}  ${printable(what)}`,
    ...(remedy === null ? [] : [`${" ".repeat("problem".length + width + 4)}remedy: ${printable(remedy)}`]),
  ]);
}
