// How a measurement is printed: counts, figures, targets, each a line of its own.

import type { Size } from "./generate.ts";
import { judge, type Measurement, type Target } from "./measurement.ts";

export function formatMeasurement(measurement: Measurement, size: Size): string {
  const { counts, figures, targets } = measurement;
  const told = [...Object.entries(counts), ...Object.entries(figures)];
  const width = Math.max(22, ...told.map(([name]) => name.length));
  const lines = told.map(([name, value]) => `  ${name.padEnd(width)} ${formatFigure(name, value).padStart(12)}`);
  const verdicts = targets.map((target) => `  ${formatTarget(target)}: ${judge(measurement, target, size)}`);
  return [...lines, ...verdicts].join("\n");
}

function formatTarget({ figure, atMost, atLeast }: Target): string {
  const bound =
    atLeast === undefined ? `at most ${formatFigure(figure, atMost!)}` : `at least ${formatFigure(figure, atLeast)}`;
  return `${figure} ${bound}`;
}

function formatFigure(name: string, value: number): string {
  if (name.endsWith("BytesEach")) return `${value.toFixed(1)} B`;
  if (name.endsWith("Bytes")) return formatBytes(value);
  if (name.endsWith("Ms")) return `${value < 100 ? value.toFixed(2) : value.toFixed(0)} ms`;
  if (name.endsWith("PerSecond")) return `${value.toFixed(0)}/s`;
  if (name.endsWith("Ratio")) return value.toFixed(3);
  return String(value);
}

function formatBytes(bytes: number): string {
  const mebibytes = bytes / 1024 / 1024;
  return mebibytes < 1 ? `${(bytes / 1024).toFixed(1)} KiB` : `${mebibytes.toFixed(1)} MiB`;
}
