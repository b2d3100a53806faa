// A profile's shape: its ordered sample types, each with what its numbers are, and its period type. Two profiles sum when their shapes hold the same columns.

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

/** What the numbers of a column are. delta: since the last profile. gauge: now. cumulative: since the process started. */
export type Aggregation = "delta" | "gauge" | "cumulative";

export interface Column extends ValueType {
  /** Default: delta. */
  readonly aggregation?: Aggregation;
}

export interface Shape {
  readonly columns: readonly Column[];
  readonly periodType: ValueType;
}

/** One text for one shape: JSON, so that no character of a name can forge a separator. What is delta is not said. */
export function shapeSignature(shape: Shape): string {
  return JSON.stringify([
    [shape.periodType.type, shape.periodType.unit],
    shape.columns.map(({ type, unit, aggregation = "delta" }) =>
      aggregation === "delta" ? [type, unit] : [type, unit, aggregation],
    ),
  ]);
}

export function parseShapeSignature(signature: string): Shape {
  const [period, columns] = JSON.parse(signature) as [[string, string], [string, string, Aggregation?][]];
  return {
    periodType: { type: period[0], unit: period[1] },
    columns: columns.map(([type, unit, aggregation]) => ({ type, unit, ...(aggregation && { aggregation }) })),
  };
}

/** Equal for shapes that differ only in the order of their columns: those are merged by name. */
export function mergeKey(shape: Shape): string {
  const columns = shape.columns.map(({ type, unit }) => JSON.stringify([type, unit])).sort();
  return JSON.stringify([[shape.periodType.type, shape.periodType.unit], columns]);
}

export function describeShape(shape: Shape): string {
  const columns = shape.columns.map(({ type, unit }) => `${type}/${unit}`).join(" ");
  return shape.periodType.type === "" ? columns : `${columns} per ${shape.periodType.type}/${shape.periodType.unit}`;
}
