import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "console/src/**/*.test.ts"],
    // Processes, not threads: tests change the umask, send signals and start browsers.
    pool: "forks",
    // Each worker may run several Chromiums. One more than there are cores where CI runs: tests wait, too.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // How long a busy machine may take to do what is awaited; no test passes sooner or later for it.
    expect: { poll: { timeout: 10_000 } },
    tags: [
      {
        name: "long",
        description:
          "Waits long, or takes a whole machine: left out of `npm test`, run by `npm run test:all`.",
      },
    ],
  },
});
