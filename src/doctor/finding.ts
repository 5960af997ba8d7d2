// What doctor finds, and the JSON of it: docs/doctor.schema.json is written from this schema.
import * as v from "valibot";

const LEVELS = ["ok", "note", "problem"] as const;

/** In the order in which they are shown. */
export const CHECKS = [
  ["privilege", "the capabilities that a launch and its keeper need"],
  ["calls", "the system calls of a launch, as this kernel and its seccomp filters answer them"],
  ["nsenter", "/usr/bin/nsenter, by which run --enter auto enters"],
  ["propagation", "whether mounts reach the host, and the host's the program"],
  ["resolv.conf", "what /etc/resolv.conf is, and who replaces it"],
  ["method", "how auto would cover it, and why"],
  ["keeper", "what the keeper can wait for, and whether there is room for its process"],
  ["past-the-file", "what resolves names for the host whatever resolv.conf says"],
  ["netns", "names of network namespaces, and their resolv.conf"],
  ["memory", "address space, and room in the mount table"],
] as const;

export type Check = (typeof CHECKS)[number][0];

export const DoctorDocument = v.object({
  fit: v.pipe(v.boolean(), v.description("there is no problem; the exit status is 0")),
  findings: v.array(
    v.object({
      check: v.pipe(
        v.picklist(CHECKS.map(([check]) => check)),
        v.description(CHECKS.map(([check, what]) => `${check}: ${what}`).join("; ")),
      ),
      level: v.pipe(v.picklist(LEVELS), v.description("problem: something of nspin does not work here")),
      what: v.string(),
      remedy: v.nullable(v.string()),
    }),
  ),
});

/** Of a check that is known by then. */
export interface Finding {
  readonly level: (typeof LEVELS)[number];
  readonly what: string;
  readonly remedy?: string | undefined;
}

export const ok = (what: string): Finding => ({ level: "ok", what });
export const note = (what: string, remedy?: string): Finding => ({ level: "note", what, remedy });
export const problem = (what: string, remedy?: string): Finding => ({ level: "problem", what, remedy });
