/** Of what was measured again and again. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  /** The 95th percentile. */
  readonly high: number;
}

export function spreads<Name extends string>(times: Readonly<Record<Name, readonly number[]>>) {
  const entries = Object.entries<readonly number[]>(times).map(([name, list]) => [name, spread(list)]);
  return Object.fromEntries(entries) as Record<Name, Spread>;
}

export function spread(list: readonly number[]): Spread {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (part: number) => Number(sorted[Math.floor(part * (sorted.length - 1))]?.toFixed(4));
  return { least: at(0), median: at(0.5), high: at(0.95) };
}
