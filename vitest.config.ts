import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "console/src/**/*.test.ts"],
    // Processes, not threads: tests change the umask, send signals and start browsers.
    pool: "forks",
    // Each worker may run several Chromiums. One more than there are cores where CI runs: tests wait, too.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
