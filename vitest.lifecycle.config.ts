import { defineConfig } from "vitest/config";

/** The pure core alone, for `npm run mutation`: without the properties, which are slow, and catch by luck. */
export default defineConfig({
  test: {
    include: ["test/lifecycle/**/*.test.ts"],
    exclude: ["test/lifecycle/properties.test.ts"],
    testTimeout: 120_000,
    // The core keeps nothing between tests, so they may share one worker: mutants are tried several times as fast.
    isolate: false,
  },
});
