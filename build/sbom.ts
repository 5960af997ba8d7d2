// What the binary is made of, as a CycloneDX document.
import { version as bun } from "../node_modules/bun/package.json";
import { license, version } from "../package.json";
import { carried } from "./carried.ts";
import { commitDate } from "./source-date.ts";

export async function sbom() {
  const self = { type: "application", name: "nspin", version, purl: `pkg:generic/nspin@${version}` };
  const runtime = {
    type: "platform",
    name: "bun",
    version: bun,
    description: "The runtime, with JavaScriptCore and what else its LICENSE.md names",
    licenses: [{ expression: "MIT AND LGPL-2.0-only AND LGPL-2.1-only" }],
    purl: `pkg:npm/bun@${bun}`,
  };
  const packages = (await carried()).map(({ name, version, license }) => ({
    type: "library",
    name,
    version,
    licenses: [{ license: { id: license } }],
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  }));
  const components = [runtime, ...packages].map((component) => ({ "bom-ref": component.purl, ...component }));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: (await commitDate()).toISOString(),
      component: { "bom-ref": self.purl, ...self, licenses: [{ license: { id: license } }] },
    },
    components,
    dependencies: [{ ref: self.purl, dependsOn: components.map(({ purl }) => purl) }],
  };
}
