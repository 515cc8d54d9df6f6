import { defineConfig } from 'rolldown';

export default defineConfig({
  input: { cli: 'src/cli/main.ts', index: 'src/index.ts' },
  platform: 'node',
  external: /^(node:|ohm-js|fast-check|commander|yaml|valibot|picocolors)/,
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: '[name].js' },
});
