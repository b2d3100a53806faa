// Invented programs for profile-generator.ts: what a Go, C++, Rust, Java or kernel profile has by way of columns, binaries,
// frames and labels. Small on purpose, so that rows of several profiles meet, and near-equal on purpose, so that they may not.

import type { LineSpec } from "./profile-builder.ts";
import type { Random } from "./random.ts";

export interface Program {
  sampleTypes: [type: string, unit: string][];
  periodType: [type: string, unit: string] | null;
  period: bigint;
  defaultSampleType: string;
  binaries: Binary[];
  frames: Frame[];
  labels: [key: string, value: string][];
  numbers: [key: string, value: bigint, unit?: string][];
}

/** A file that a process maps, each process elsewhere when `moves`. */
export interface Binary {
  file: string;
  buildId: string;
  offset: bigint;
  start: bigint;
  sizeBytes: bigint;
  moves: boolean;
  symbolized: boolean;
}

export interface Frame {
  binary: Binary | undefined;
  /** From the start of the binary, or absolute without one. */
  address: bigint;
  lines: LineSpec[];
  folded: boolean;
}

type Kind = "cpu" | "heap" | "goroutine" | "native" | "java" | "kernel" | "bare";

export const PROGRAM_KINDS: readonly Kind[] = ["cpu", "heap", "goroutine", "native", "java", "kernel", "bare"];

export function inventProgram(kind: Kind, random: Random): Program {
  const binaries = inventBinaries(kind, random);
  const lines = inventLines(kind, random);
  const frames: Frame[] = [];
  for (let nth = random.between(3, 14); nth > 0; nth--) frames.push(inventFrame(kind, random, binaries, lines));
  return { ...columnsOf(kind, random), binaries, frames, ...inventLabels(kind, random) };
}

function columnsOf(kind: Kind, random: Random) {
  const of = (types: string, periodType: string | null, period: bigint, defaultSampleType = "") => ({
    sampleTypes: types.split(" ").map((pair) => pair.split("/") as [string, string]),
    periodType: periodType === null ? null : (periodType.split("/") as [string, string]),
    period,
    defaultSampleType,
  });
  switch (kind) {
    case "heap":
      return of(
        "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes",
        "space/bytes",
        524_288n,
        random.pick(["", "inuse_space"]),
      );
    case "goroutine":
      return of("goroutine/count", "goroutine/count", 1n);
    case "java":
      return of("wall/nanoseconds alloc/bytes lock/count", null, 0n, "wall");
    case "kernel":
      // One name twice: columns are told apart by their place.
      return of("cycles/count cycles/count", "cycles/count", random.pick([0n, -5n, 2n ** 60n]));
    case "bare":
      return of("samples/count", random.pick([null, "/"]), 0n);
    default:
      return of("samples/count cpu/nanoseconds", "cpu/nanoseconds", 10_000_000n);
  }
}

function inventBinaries(kind: Kind, random: Random): Binary[] {
  const binary = (file: string, buildId: string, start: bigint, given: Partial<Binary> = {}): Binary => ({
    file,
    buildId,
    offset: 0n,
    start,
    sizeBytes: BigInt(random.between(1, 60)) * 0x1000n + BigInt(random.between(-1, 1)),
    moves: false,
    symbolized: true,
    ...given,
  });
  switch (kind) {
    case "java":
      return [];
    case "kernel":
      return [
        binary("[kernel.kallsyms]_text", "", 0xffff_ffff_8100_0000n, { sizeBytes: 0x7eff_ffffn }),
        binary("[kernel.kallsyms]_stext", "", 0xffff_ffff_8100_0000n, { sizeBytes: 0x7eff_ffffn }),
        binary("/lib/modules/zfs.ko", "k0", 0xffff_ffff_c000_0000n, { moves: true }),
        // Ends before it starts: its size wraps.
        binary("[vsyscall]", "", 0xffff_ffff_ffff_f000n, { sizeBytes: -0xffff_ffff_ffff_f000n }),
        // One mapping, since rounding to pages carries into the upper half; and two that only that half parts.
        binary("guest", "", 0x7000_0000_0000n, { sizeBytes: 0xffff_f801n }),
        binary("guest", "", 0x7000_0000_0000n, { sizeBytes: 0x1_0000_0000n, moves: true }),
        binary("guest", "", 0x7000_0000_0000n, { sizeBytes: 0x1_0000_0000n, offset: 0x3_0000_0000n }),
      ];
    case "bare": {
      const fakes = [
        binary("", "", 0n, { sizeBytes: 0n, symbolized: false }),
        binary("", "", 0x40_0000n, { moves: true, symbolized: false }),
        binary("", "", 0x40_0000n, { offset: 0x1000n, symbolized: false }),
      ];
      return random.chance(0.3) ? [] : fakes;
    }
    case "native":
      return [
        binary("/usr/bin/server", "a1", 0x5555_5555_4000n, { moves: true, offset: 0x1000n, symbolized: false }),
        // Another part of the same file, as large, and another build of it.
        binary("/usr/bin/server", "a1", 0x5555_5565_4000n, {
          offset: 0x10_1000n,
          sizeBytes: 0x9000n,
          symbolized: false,
        }),
        binary("/usr/bin/server", "a1", 0x5555_5555_4000n, { moves: true, offset: 0x1000n, sizeBytes: 0x9000n }),
        binary("/usr/bin/server", "b2", 0x5555_5555_4000n, { moves: true, offset: 0x1000n, symbolized: false }),
        binary("/usr/lib/libc.so.6", "", 0x7f00_1234_5000n, { moves: true }),
        binary("/usr/lib/libm.so.6", "", 0x7f00_2234_5000n, { moves: true }),
      ];
    default:
      return [
        binary("/app/server", random.pick(["", "go-1"]), 0x40_0000n),
        binary("[vdso]", "", 0x7fff_f7fc_1000n, { moves: true, symbolized: false }),
        binary("", "", 0n, { sizeBytes: 0n }),
      ];
  }
}

function inventLines(kind: Kind, random: Random): LineSpec[] {
  const names = {
    java: ["java.lang.Thread.run", "com.example.Ünïcode$1.apply", "com.example.Main.main"],
    native: ["std::vector<int>::push_back", "core::ptr::drop_in_place<T>", "main", ""],
    kernel: ["do_syscall_64", "entry_SYSCALL_64"],
  }[kind as string] ?? ["main.main", "main.(*Server).handle", "runtime.mallocgc", 'main.quote"\\'];
  const lines: LineSpec[] = [];
  for (const name of names) {
    const file = random.pick(["", "/src/a.go", "/src/b.go"]);
    const base: LineSpec = { name, file, startLine: 10n, line: BigInt(random.between(10, 40)), column: 0n };
    lines.push(base, { ...base, line: base.line! + 1n });
    if (random.chance(0.5)) lines.push({ ...base, column: BigInt(random.between(1, 3)) });
    if (random.chance(0.4)) lines.push({ ...base, systemName: `_Z${name}` });
    if (random.chance(0.4)) lines.push({ ...base, startLine: 11n });
    if (random.chance(0.2)) lines.push({ ...base, startLine: -1n, line: -(2n ** 40n), column: 2n ** 62n });
    if (random.chance(0.2)) lines.push({ ...base, line: 0n });
  }
  return lines;
}

function inventFrame(kind: Kind, random: Random, binaries: Binary[], lines: LineSpec[]): Frame {
  const outside = binaries.length === 0 || random.chance(0.1);
  const binary = outside ? undefined : random.pick(binaries);
  const depth = kind === "native" ? random.between(0, 4) : kind === "bare" ? 0 : random.chance(0.2) ? 2 : 1;
  return {
    binary,
    address: kind === "java" ? 0n : BigInt(random.between(0, 12) * 8 - 8),
    lines: Array.from({ length: depth }, () => random.pick(lines)),
    folded: random.chance(0.1),
  };
}

function inventLabels(kind: Kind, random: Random): Pick<Program, "labels" | "numbers"> {
  if (kind === "bare" && random.chance(0.5)) return { labels: [], numbers: [] };
  const numbers: Program["numbers"] = [
    ["bytes", 64n, "bytes"],
    ["bytes", 64n],
    ["bytes", 65n, "kilobytes"],
    ["request", -(2n ** 63n)],
    ["zero", 0n, "seconds"],
    ["endpoint", 2n ** 62n],
  ];
  const labels: Program["labels"] = [
    ["endpoint", "/login"],
    ["endpoint", "/logout"],
    ["thread", "worker-1"],
    ["thread", "bytes"],
    ["", "no key"],
    ["ключ", "значение"],
  ];
  return { labels, numbers };
}
