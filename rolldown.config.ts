import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions } from 'rolldown';

/** BTF of the bundled kernels is read by parts, samples as text; the kernel oracle is compiled where it is used. */
const FILES_BESIDE = [
  ['src/profiles/linux_6_18/btf', 'btf/linux-6.18'],
  ['tools/kernel-oracle', 'kernel-oracle'],
  ['programs', 'programs'],
] as const;

const config: BuildOptions = {
  input: {
    cli: 'src/cli/main.ts',
    fuzz: 'src/fuzz/index.ts',
    fuzz_worker: 'src/cli/fuzz_worker.ts',
    node: 'src/cli/bundled_kernel.ts',
    index: 'src/index.ts',
  },
  platform: 'node',
  external: /^(node:|fast-check|yaml|valibot)/,
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: '[name].js' },
  plugins: [
    {
      name: 'files-beside-the-code',
      writeBundle({ dir = 'dist' }) {
        const filter = (path: string): boolean => !path.endsWith('.ts');
        for (const [from, to] of FILES_BESIDE) cpSync(from, join(dir, to), { recursive: true, filter });
        chmodSync(join(dir, 'cli.js'), 0o755);
      },
    },
  ],
};

export default config;
