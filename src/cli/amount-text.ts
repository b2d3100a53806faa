// What a column counts, as people read it: durations and sizes in the unit that fits, everything else as the number it is.

const DURATIONS: readonly [unit: string, nanoseconds: number][] = [
  ["d", 86_400e9],
  ["h", 3_600e9],
  ["min", 60e9],
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
];
const SIZES: readonly [unit: string, bytes: number][] = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
];
/** Units of pprof's columns, in nanoseconds or bytes. */
const FACTORS = new Map<string, [factor: number, smallest: string, scale: typeof DURATIONS]>([
  ["nanoseconds", [1, "ns", DURATIONS]],
  ["microseconds", [1e3, "ns", DURATIONS]],
  ["milliseconds", [1e6, "ns", DURATIONS]],
  ["seconds", [1e9, "ns", DURATIONS]],
  ["bytes", [1, "B", SIZES]],
]);

/** 1.34 s, 10.0 s, 1020 KiB, 17 ns, 5 cycles. Where there is a scale three digits, or four before its next unit. */
export function amountText(value: bigint, unit: string): string {
  const known = FACTORS.get(unit);
  if (known === undefined) return unit === "count" || unit === "" ? String(value) : `${value} ${unit}`;
  if (value === 0n) return "0";
  const [factor, smallest, scale] = known;
  const amount = Number(value) * factor;
  const [name, size] = scale.find(([, each]) => Math.abs(amount) >= each) ?? [smallest, 1];
  const scaled = amount / size;
  return `${size === 1 ? scaled : scaled.toPrecision(Math.abs(scaled) >= 1000 ? 4 : 3)} ${name}`;
}
