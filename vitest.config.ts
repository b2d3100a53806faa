import { defineConfig } from "vitest/config";

// The tests that need nothing but Node and npm. What needs Go, a browser or root lives in test/e2e.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "node_modules/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
