import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "console/src/**/*.test.ts"],
    // Processes, not threads: tests change the umask, send signals and start browsers.
    pool: "forks",
    // Each worker may run several Chromiums; more workers than this only make timings worse.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
