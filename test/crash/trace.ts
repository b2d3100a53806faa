// Reads what test/crash/recorder.c wrote: one event per call, in order.

export type TraceEvent =
  | { kind: "create"; inode: bigint; path: string }
  | { kind: "write"; inode: bigint; offset: number; data: Buffer }
  | { kind: "truncate"; inode: bigint; sizeBytes: number }
  /** `path` where a folder is synced. */
  | { kind: "sync-begin"; inode: bigint; sync: number; path?: string }
  | { kind: "sync-end"; sync: number; failed: boolean }
  | { kind: "rename" | "link"; path: string; to: string }
  | { kind: "unlink" | "mkdir" | "rmdir"; path: string }
  /** What left the process by a socket or a pipe, from here on. */
  | { kind: "output"; text: string };

const HEAD_BYTES = 32;

/** A process that was killed may leave half an event at the end; it is dropped. Throws where the process did what cannot be replayed. */
export function readTrace(bytes: Buffer): TraceEvent[] {
  const events: TraceEvent[] = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const pathBytes = bytes.readUInt32LE(at + 4);
    const dataBytes = Number(bytes.readBigUInt64LE(at + 24));
    const end = at + HEAD_BYTES + pathBytes + dataBytes;
    if (end > bytes.length) break;
    const path = bytes.toString("utf8", at + HEAD_BYTES, at + HEAD_BYTES + pathBytes);
    const data = bytes.subarray(end - dataBytes, end);
    const inode = bytes.readBigUInt64LE(at + 8);
    events.push(eventOf(bytes.readUInt32LE(at), inode, Number(bytes.readBigUInt64LE(at + 16)), path, data));
    at = end;
  }
  return events;
}

function eventOf(kind: number, inode: bigint, number: number, path: string, data: Buffer): TraceEvent {
  switch (kind) {
    case 1:
      return { kind: "create", inode, path };
    case 2:
      return { kind: "write", inode, offset: number, data };
    case 3:
      return { kind: "truncate", inode, sizeBytes: number };
    case 4:
      return { kind: "sync-begin", inode, sync: number, ...(path && { path }) };
    case 5:
      return { kind: "sync-end", sync: number, failed: inode !== 0n };
    case 6:
      return { kind: "rename", path, to: data.toString() };
    case 7:
      return { kind: "unlink", path };
    case 8:
      return { kind: "mkdir", path };
    case 9:
      return { kind: "rmdir", path };
    case 10:
      return { kind: "link", path, to: data.toString() };
    case 11:
      return { kind: "output", text: data.toString("latin1") };
    default:
      throw new Error(`The process made a call that cannot be replayed: ${path}`);
  }
}
