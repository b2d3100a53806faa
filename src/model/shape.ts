// A profile's shape: its ordered sample types and its period type. Two profiles sum when their shapes hold the same columns.

export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface Shape {
  readonly columns: readonly ValueType[];
  readonly periodType: ValueType;
}

/** One text for one shape: JSON, so that no character of a name can forge a separator. */
export function shapeSignature(shape: Shape): string {
  return JSON.stringify([
    [shape.periodType.type, shape.periodType.unit],
    shape.columns.map(({ type, unit }) => [type, unit]),
  ]);
}

export function parseShapeSignature(signature: string): Shape {
  const [period, columns] = JSON.parse(signature) as [[string, string], [string, string][]];
  return {
    periodType: { type: period[0], unit: period[1] },
    columns: columns.map(([type, unit]) => ({ type, unit })),
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
