import { chmodSync, cpSync } from 'node:fs';
import type { BuildOptions } from 'rolldown';

/** The BTF of the bundled kernels is read by parts; the kernel oracle is compiled where it is used. */
const FILES_BESIDE = [
  ['src/profiles/linux_6_18/btf', 'dist/btf/linux-6.18'],
  ['tools/kernel-oracle', 'dist/kernel-oracle'],
] as const;

const config: BuildOptions = {
  input: { cli: 'src/cli/main.ts', node: 'src/cli/bundled_kernel.ts', index: 'src/index.ts' },
  platform: 'node',
  external: /^(node:|ohm-js|fast-check|yaml|valibot)/,
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: '[name].js' },
  plugins: [
    {
      name: 'files-beside-the-code',
      writeBundle() {
        for (const [from, to] of FILES_BESIDE) cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.ts') });
        chmodSync('dist/cli.js', 0o755);
      },
    },
  ],
};

export default config;
