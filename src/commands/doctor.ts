// nspin doctor: is this host, or the image that is being made, fit for nspin?
import type { ArgsDef } from "citty";
import * as v from "valibot";
import { askSelf } from "../ask-self.ts";
import type { Question } from "../doctor/examine.ts";
import { CHECKS, type DoctorDocument, type Finding, problem } from "../doctor/finding.ts";
import { print, printable, printableJson } from "../print.ts";
import { type Command, flag, readOptions, refuseArgument } from "./command.ts";

const args = {
  image: {
    type: "boolean",
    description:
      "only what is in this file system: not the kernel, privilege and mounts that it is built with",
  },
  json: { type: "boolean", description: "print JSON, as doctor.schema.json in /usr/share/doc/nspin has it" },
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
    refuseArgument("doctor", rest);
    const document = await examine(options.image);
    print(options.json ? printableJson(document) : toLines(document).join("\n"));
    return document.fit ? 0 : 1;
  },
};

type Document = v.InferOutput<typeof DoctorDocument>;

const PATIENCE = 20_000; // milliseconds for one check, which may start two programs that do not end

const SILENT = problem(
  `no answer after ${PATIENCE / 1000} s: a file system that this asks hangs`,
  "look for a FUSE or network file system whose server has stopped: findmnt",
);

async function examine(isImage: boolean): Promise<Document> {
  const checks = CHECKS.map(([check]) => check);
  const answers = await askSelf<Finding[]>({
    command: "examine",
    count: checks.length,
    toAsk: (known) => ({ isImage, checks: checks.slice(known) }) satisfies Question,
    patience: PATIENCE,
    does: "examine this host",
  });
  const findings = checks.flatMap((check, i) =>
    (answers[i] ?? [SILENT]).map(({ level, what, remedy = null }) => ({ check, level, what, remedy })),
  );
  return { fit: findings.every(({ level }) => level !== "problem"), findings };
}

function toLines({ findings }: Document): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings.flatMap(({ check, level, what, remedy }) => [
    `${level.padEnd("problem".length)}  ${check.padEnd(width)}  ${printable(what)}`,
    ...(remedy === null ? [] : [`${" ".repeat("problem".length + width + 4)}remedy: ${printable(remedy)}`]),
  ]);
}
