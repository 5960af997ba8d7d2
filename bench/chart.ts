import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const spec: TopLevelSpec = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  data: { values: [{ name: "a", least: 0.1, median: 0.2, high: 0.4 }, { name: "nspin run", least: 3, median: 4, high: 5 }] },
  mark: "point",
  encoding: { x: { field: "median", type: "quantitative", scale: { type: "log" } }, y: { field: "name", type: "nominal" } },
};
console.log(await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG());
