// Profiles in the legacy formats whose writers cannot be run here: gperftools' CPU words of each size and order, its texts,
// Java's. Made by hand after the formats' descriptions; Go's own texts are recorded (test/testdata/recorded/).
// Run as a program it writes them to test/testdata/legacy/, and the oracle's digests of all legacy profiles beside them (needs Go).

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startOracle } from "./oracle.ts";
import { Random } from "./random.ts";

export interface LegacyProfile {
  name: string;
  bytes: Uint8Array;
}

const FOLDER = new URL("../testdata/legacy/", import.meta.url);
const RECORDED = new URL("../testdata/recorded/", import.meta.url);
const DIGESTS = new URL("digests.json", FOLDER);

interface Words {
  sizeBytes: 4 | 8;
  littleEndian: boolean;
}

/** Made here, byte for byte what test/testdata/legacy/ holds. */
export function makeLegacyProfiles(): LegacyProfile[] {
  const sizes: [string, Words][] = [
    ["32-little", { sizeBytes: 4, littleEndian: true }],
    ["32-big", { sizeBytes: 4, littleEndian: false }],
    ["64-little", { sizeBytes: 8, littleEndian: true }],
    ["64-big", { sizeBytes: 8, littleEndian: false }],
  ];
  return [
    ...sizes.map(([name, words]) => ({ name: `gperftools-cpu-${name}.prof`, bytes: nativeCpu(words) })),
    { name: "gperftools-cpu-signal-frame.prof", bytes: cpuWithSignalFrame() },
    { name: "gperftools-cpu-torn.prof", bytes: tornCpu() },
    { name: "java-cpu.prof", bytes: javaCpu(sizes[2]![1]) },
    ...TEXTS.map(([name, text]) => ({ name, bytes: Buffer.from(text, "latin1") })),
  ];
}

/** Those of test/testdata/legacy/ and the recorded texts, as they are on disk. */
export function readLegacyProfiles(): LegacyProfile[] {
  return [
    ...filesOf(FOLDER, (name) => /\.(prof|txt)$/.test(name)),
    ...filesOf(RECORDED, (name) => name.endsWith("-debug1.txt")),
  ];
}

export function readLegacyDigests(): Record<string, string> {
  return JSON.parse(readFileSync(DIGESTS, "utf8")) as Record<string, string>;
}

function filesOf(folder: URL, isWanted: (name: string) => boolean): LegacyProfile[] {
  const names = readdirSync(folder).filter(isWanted).sort();
  return names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, folder))) }));
}

function encodeWords(words: readonly (number | bigint)[], { sizeBytes, littleEndian }: Words): Buffer {
  const bytes = Buffer.alloc(words.length * sizeBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [at, word] of words.entries()) {
    if (sizeBytes === 4) view.setUint32(at * 4, Number(BigInt.asUintN(32, BigInt(word))), littleEndian);
    else view.setBigUint64(at * 8, BigInt(word), littleEndian);
  }
  return bytes;
}

const END = [0, 1, 0];

const LINUX_MAP = `00400000-00b29000 r-xp 00000000 08:01 42 /srv/auth/main
00b29000-00b3a000 rw-p 00729000 08:01 42 /srv/auth/main
7f5a10000000-7f5a10200000 r-xp 00000000 08:01 77 /lib/x86_64-linux-gnu/libc-2.31.so
7f5a10200000-7f5a10300000 r-xp 00200000 08:01 77 /lib/x86_64-linux-gnu/libc-2.31.so
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0 [vdso]
ffffffffff600000-ffffffffff601000 r-xp 00000000 00:00 0 [vsyscall]
`;

/** Repeated leaves, repeated stacks, addresses outside every mapping, and on 64 bits above 2^53. */
function nativeCpu(words: Words): Buffer {
  const random = new Random(words.sizeBytes);
  const isWide = words.sizeBytes === 8;
  const places = [0x400010, 0x401000, 0x5fffff, 0xb28fff, 0x12, ...(isWide ? [0x7f5a10000100, 0x7f5a10200200] : [])];
  const samples: (number | bigint)[] = [];
  for (let sample = 0; sample < 80; sample++) {
    const stack = Array.from({ length: random.between(1, 9) }, () => random.pick(places) + random.between(0, 40));
    if (random.chance(0.2)) stack.splice(1, 0, stack[0]!);
    samples.push(random.between(1, 90), stack.length, ...stack);
  }
  if (isWide) samples.push(1, 2, 0xffffffffff600400n, 0xffffffff81000123n, 2n ** 62n, 1, 0x400020);
  return Buffer.concat([encodeWords([0, 3, 0, 10_000, 0, ...samples, ...END], words), Buffer.from(LINUX_MAP)]);
}

/** The second address is the signal handler's return in all samples but one of forty. */
function cpuWithSignalFrame(): Buffer {
  const words: Words = { sizeBytes: 8, littleEndian: true };
  const samples: number[] = [];
  for (let sample = 0; sample < 40; sample++) {
    const handler = sample === 7 ? 0x402000 : 0x7f5a10000200;
    samples.push(1, 4, 0x401000 + sample * 8, handler, 0x403000, 0x404000 + (sample % 3));
  }
  const map =
    "build=/srv/auth\n  40000000-00: junk\n0x400000-0xb29000 $build/main\n0x7f5a10000000-0x7f5a10200000 /lib/libc.so.6 (@1000) 0abc12\n";
  return Buffer.concat([encodeWords([0, 3, 0, 5_000, 0, ...samples, ...END], words), Buffer.from(map)]);
}

/** Ends inside an address: google/pprof reads what is missing as zeros. */
function tornCpu(): Buffer {
  const words: Words = { sizeBytes: 8, littleEndian: true };
  return encodeWords([0, 3, 0, 5_000, 0, 4, 2, 0x401000, 0x402000, 1, 3, 0x401000, 0x403000, 0x404000], words).subarray(
    0,
    -5,
  );
}

const JAVA_NAMES = ` 0x0000003 com.example.Auth.check (Auth.java:42)
 0x0000004 com.example.Auth.lambda$run$0 (Auth.java:-1)
 0x0000005 java.util.HashMap.get (HashMap.java:556)
 0x0000006 Java_java_net_read (/usr/lib/jvm/libnet.so)
 0x0000007 GC
 0x0000008 StubRoutines generated stub/JIT code
 0x0000009 void  spaced(int, (x)) (Odd.java:7)
 0x00000ff never.used (Never.java:1)
`;

function javaCpu(words: Words): Buffer {
  const samples = [3, 3, 3, 4, 5, 1, 2, 6, 7, 9, 1, 8, 4, 4, 9, 3, 4, 5, 2, 1, 10];
  return Buffer.concat([encodeWords([0, 3, 1, 10_000, 0, ...samples, ...END], words), Buffer.from(JAVA_NAMES)]);
}

const TEXTS: [name: string, text: string][] = [
  [
    "java-heap.txt",
    `--- heapz 1 ---
format = java
resolution = bytes
       1048576     2 @ 0x00000003 0x00000004 0x00000005
            64     1 @ 0x00000006 0x00000007
           010     010 @ 0x00000008 0x0000000a
${JAVA_NAMES}`,
  ],
  [
    "java-contention.txt",
    `--- contentionz 1 ---
format = java
resolution = microseconds
sampling period = 100
ms since reset = 6019923
            1     1 @ 0x00000003 0x00000004
           14     2 @ 0x00000005 0x00000009 0x00000003
${JAVA_NAMES.trimEnd()}`,
  ],
  [
    "gperftools-heap.txt",
    `heap profile:      3:  1572864 [    11: 1574912] @ heap_v2/524288
     1:  1048576 [     1:  1048576] @ 0x00401010 0x00402020 0x00403030 0xffffffff81000123
     2:   524288 [     2:   524288] @ 0x00401010 0x7f5a10000100
     0:        0 [     8:     2048] @ 0x00404040
    -1:     -512 [     3:      100] @ 0x00405050 0x12

MAPPED_LIBRARIES:
${LINUX_MAP}`,
  ],
  [
    "gperftools-heap-unsampled.txt",
    `heap profile: 2: 300 [2: 300] @ heapprofile
1: 100 [1: 100] @ 0x401010 0x402020
1: 200 [1: 200] @ 0x401010 0x0

MAPPED_LIBRARIES:
I1120 14:00:00 main.cc:12] 00400000-00b29000: /srv/auth/main (deleted)
`,
  ],
  [
    "gperftools-growth.txt",
    `heap profile:    2:  2097152 [    2:  2097152] @ growthz
     1:  1048576 [     1:  1048576] @ 0x00401010 0x00402020
     1:  1048576 [     1:  1048576] @ 0x00401018
--- Memory map: ---
  00400000-00600000: /anon_hugepage (deleted)
  00600000-00b29000: /srv/auth/main
`,
  ],
  [
    "gperftools-contention.txt",
    `--- contentionz 1 ---
cycles/second = 3201000000
sampling period = 100
ms since reset = 16502830
discarded samples = 0
  19490304       27 @ 0xbccc97 0xc61202 0x42ed5f
     768423      12 @ 0x401010
       1234 @ 0x402020
--- Memory map: ---
  00401000-00fcb000 r-xp 00001000 00:00 0 /srv/auth/main
`,
  ],
  [
    "gperftools-threads.txt",
    `--- threadz 1 ---

--- Thread 7f794ab90940 (name: main/14748) stack: ---
  PC:  0x00bc8f1c: helper(arg *)
  0x0040be31: main
  0x7f5a1000811d: __libc_start_main
--- Thread 7f794964e700 (name: worker/1/14751) stack: ---
  PC:  0x00bc8f1d 0x00bc8f1d
  0x7f5a1000414e: start_thread
      creator: 0xa45b96 0xa460b4 0xbaa17f
--- Thread 7f794934c700 (name: worker/2/14752) stack: ---
  [same as previous thread]
--- Memory map: ---
  00400000-00fcb000: /srv/auth/main
  7f5a10000000-7f5a10200000: /lib/libc-2.15.so
`,
  ],
  [
    "count-odd.txt",
    "# a comment\n\n\xc3\xa9x profile: total 3\n1 @ 0x1 0xffffffffffffffff\n02 @ 0x2\n# 0x1 main\n---\nleft out\nMAPPED_LIBRARIES:\n1-f r-xp /caf\xe9\n",
  ],
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, bytes } of makeLegacyProfiles()) writeFileSync(new URL(name, FOLDER), bytes);
  await using oracle = startOracle();
  const digests: Record<string, string> = {};
  for (const { name, bytes } of readLegacyProfiles()) digests[name] = (await oracle.normal(bytes)).digest;
  writeFileSync(DIGESTS, `${JSON.stringify(digests, null, 1)}\n`);
}
