// Decoded tables of a pack in memory that all threads share: one copy, whoever made it. Everything in them is typed arrays, or JSON.

type SharedArray = Uint8Array | Int32Array | Float64Array | BigInt64Array;

/** Crosses threads without being copied. */
export interface SharedTables {
  readonly arrays: Readonly<Record<string, SharedArray>>;
  /** JSON of what is no typed array, UTF-8. */
  readonly others: Uint8Array<SharedArrayBuffer>;
  readonly sizeBytes: number;
}

export function shareTables(tables: object): SharedTables {
  const arrays: Record<string, SharedArray> = {};
  const others: Record<string, unknown> = {};
  let sizeBytes = 0;
  for (const [name, value] of Object.entries(tables)) {
    if (isArray(value)) {
      arrays[name] = copyShared(value);
      sizeBytes += value.byteLength;
    } else others[name] = value;
  }
  const json = copyShared(Buffer.from(JSON.stringify(others)));
  return { arrays, others: json as Uint8Array<SharedArrayBuffer>, sizeBytes: sizeBytes + json.byteLength };
}

/** What was shared, over the same memory: it must not be changed. */
export function openTables<Opened>({ arrays, others }: SharedTables): Opened {
  return { ...arrays, ...(JSON.parse(Buffer.from(others).toString("utf8")) as object) } as Opened;
}

function isArray(value: unknown): value is SharedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function copyShared<Values extends SharedArray>(values: Values): SharedArray {
  const memory = new SharedArrayBuffer(values.byteLength);
  const bytes = new Uint8Array(memory);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  if (values instanceof Int32Array) return new Int32Array(memory);
  if (values instanceof Float64Array) return new Float64Array(memory);
  if (values instanceof BigInt64Array) return new BigInt64Array(memory);
  if (values instanceof Uint8Array) return bytes;
  throw new Error(`Cannot share ${(values as object).constructor.name}`);
}
