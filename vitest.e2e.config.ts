import { defineConfig } from "vitest/config";

// Tests against real outside programs: Go, go tool pprof, buf curl, curl, a C compiler. Each file says what it needs; CI has all of it.
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
