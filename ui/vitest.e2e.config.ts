import { defineConfig } from "vitest/config";

// Real Chromium against a real server: one test after the other, so that times mean something.
export default defineConfig({
  test: {
    include: ["tests/**/*.e2e.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
