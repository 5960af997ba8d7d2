// The JSON Schema of the OCI runtime specification, as Debian has packaged it.
import { readdirSync, readFileSync } from "node:fs";
import { type Schema, Validator } from "@cfworker/json-schema";

const DIRECTORY = "/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema";
const read = (file: string): Schema => JSON.parse(readFileSync(`${DIRECTORY}/${file}`, "utf8"));
const ID = "https://opencontainers.org/schema";

const validator = new Validator(
  { ...read("config-schema.json"), id: `${ID}/config-schema.json` },
  "4",
  false,
);
for (const file of readdirSync(DIRECTORY)) {
  // They refer to each other by their files' names.
  if (file !== "config-schema.json") validator.addSchema({ ...read(file), id: `${ID}/${file}` });
}

/** What is wrong with it, in the schema's words; none where it is a config.json. */
export function faults(config: unknown): string[] {
  return validator
    .validate(config)
    .errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}
