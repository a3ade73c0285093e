import { defineConfig } from 'vitest/config';

/** Tests of the built console in a real browser: `npm run test:browser`. */
export default defineConfig({
  test: { include: ['tests/{browser,product}/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 30_000 },
});
