import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

/** Where the API is while developing. `make dev` listens on 8787. */
const edge = process.env.VITE_EDGE ?? 'http://127.0.0.1:8787';
const toEdge = { target: edge, changeOrigin: true, ws: true };

export default defineConfig({
  plugins: [svelte({ configFile: false, compilerOptions: { runes: true } }), tailwindcss()],
  server: {
    host: '127.0.0.1',
    proxy: { '/api/': toEdge, '/v1/': toEdge, '/health': toEdge },
  },
  // xterm.js and the API reference are large; each is fetched only by the page that shows it.
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  // No test is about how long something takes, and a computer that builds beside it may take ten times as long.
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
});
