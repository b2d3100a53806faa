// What an import reads from: the contract that each store keeps in a file of its own. Names are read in layouts.ts.

/** Where it is known again in the next run: `sizeBytes` and `changedMs` are those of the listing, 0 where the store tells none. */
export interface StoredObject {
  /** Its key, whole; of a file its path below the folder. */
  name: string;
  sizeBytes: number;
  changedMs: number;
}

export interface StoredBytes {
  bytes: Uint8Array;
  /** The service, where the store keeps it beside the object. */
  service?: string;
}

export interface Store extends AsyncDisposable {
  /** The way to it, without secrets: it stands in messages, and tells which import is the same. */
  url: string;
  /** What every name begins with. */
  prefix: string;
  /** Each object once, in any order. It is listed twice. Throws DomainErrors. */
  list(signal: AbortSignal): AsyncIterable<StoredObject>;
  /** Throws `unavailable` where the store fails, and every other kind where only this object cannot be had. */
  read(object: StoredObject, maxBytes: number, signal: AbortSignal): Promise<StoredBytes>;
}
