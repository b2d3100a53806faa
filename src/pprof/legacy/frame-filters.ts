// The expressions of frames to drop that a converted profile carries, by what its columns measure: the text google/pprof
// writes, since it is part of a profile's meaning. Names of allocators, signal handlers and locks of well-known libraries.

import type { ValueType } from "../../model/shape.ts";

const ALLOCATORS = [
  "calloc|cfree|malloc|free|memalign|do_memalign|(__)?posix_memalign|pvalloc|valloc|realloc",
  "tcmalloc::.*|tc_calloc|tc_cfree|tc_malloc|tc_free|tc_memalign|tc_posix_memalign|tc_pvalloc|tc_valloc|tc_realloc",
  "tc_new|tc_delete|tc_newarray|tc_deletearray|tc_new_nothrow|tc_newarray_nothrow",
  "malloc_zone_malloc|malloc_zone_calloc|malloc_zone_valloc|malloc_zone_realloc|malloc_zone_memalign|malloc_zone_free",
  "runtime\\..*",
  "BaseArena::.*|(::)?do_malloc_no_errno|(::)?do_malloc_pages|(::)?do_malloc|DoSampledAllocation",
  "MallocedMemBlock::MallocedMemBlock|_M_allocate|__builtin_(vec_)?delete|__builtin_(vec_)?new",
  "__gnu_cxx::new_allocator::allocate|__libc_malloc|__malloc_alloc_template::allocate|allocate|cpp_alloc",
  "operator new(\\[\\])?|simple_alloc::allocate",
].join("|");

const KEPT_OF_GO = "runtime\\.panic|runtime\\.reflectcall|runtime\\.call[0-9]*";

const SIGNAL_HANDLERS =
  "ProfileData::Add|ProfileData::prof_handler|CpuProfiler::prof_handler|__pthread_sighandler|__restore";

const LOCKS = [
  "RecordLockProfileData|(base::)?RecordLockProfileData.*|(base::)?SubmitMutexProfileData.*",
  "(base::)?SubmitSpinLockProfileData.*|(base::Mutex::)?AwaitCommon.*|(base::Mutex::)?Unlock.*",
  "(base::Mutex::)?UnlockSlow.*|(base::Mutex::)?ReaderUnlock.*|(base::MutexLock::)?~MutexLock.*",
  "(Mutex::)?AwaitCommon.*|(Mutex::)?Unlock.*|(Mutex::)?UnlockSlow.*|(Mutex::)?ReaderUnlock.*",
  "(MutexLock::)?~MutexLock.*|(SpinLock::)?Unlock.*|(SpinLock::)?SlowUnlock.*|(SpinLockHolder::)?~SpinLockHolder.*",
].join("|");

const HEAP_COLUMNS = new Set([
  "allocations size",
  "objects space",
  "inuse_objects inuse_space",
  "alloc_objects alloc_space",
  "alloc_objects alloc_space inuse_objects inuse_space",
]);

export function frameFilters(columns: readonly ValueType[]): { dropFrames: string; keepFrames: string } {
  const names = columns.map(({ type }) => type).join(" ");
  if (HEAP_COLUMNS.has(names)) return { dropFrames: ALLOCATORS, keepFrames: KEPT_OF_GO };
  return { dropFrames: names === "contentions delay" ? LOCKS : SIGNAL_HANDLERS, keepFrames: "" };
}
