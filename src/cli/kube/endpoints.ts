// The types of profiles that Go's net/http/pprof serves, and where.

export const ENDPOINTS = {
  allocs: "allocs",
  block: "block",
  cpu: "profile",
  goroutine: "goroutine",
  heap: "heap",
  mutex: "mutex",
  threadcreate: "threadcreate",
} as const;

export type CapturedType = keyof typeof ENDPOINTS;

export const CAPTURED_TYPES = Object.keys(ENDPOINTS) as readonly CapturedType[];
