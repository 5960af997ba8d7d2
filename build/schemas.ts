// The JSON that commands print -> docs/*.schema.json, by valibot's own converter.
import { toJsonSchema } from "@valibot/to-json-schema";
import { DoctorDocument } from "../src/doctor/finding.ts";
import { CheckDocument, PsDocument } from "../src/observe/documents.ts";

const documents = { ps: PsDocument, check: CheckDocument, doctor: DoctorDocument };

/** Each file's path, and what shall be in it. */
export const schemas: ReadonlyMap<string, string> = new Map(
  Object.entries(documents).map(([name, schema]) => [
    `docs/${name}.schema.json`,
    `${JSON.stringify({ title: `nspin ${name} --json`, ...toJsonSchema(schema) }, null, 2)}\n`,
  ]),
);

if (import.meta.main) for (const [file, text] of schemas) await Bun.write(file, text);
