import { defineConfig } from 'vitest/config';

/** Tests of the built console in a real browser: `npm run test:browser`. */
export default defineConfig({
  test: {
    include: ['tests/{browser,product}/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
