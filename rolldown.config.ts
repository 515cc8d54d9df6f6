import { cpSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/** The BTF of the bundled kernels stands beside the code and is read by parts. */
const KERNELS = [['src/profiles/linux_6_18/btf', 'dist/btf/linux-6.18']] as const;

export default defineConfig({
  input: { cli: 'src/cli/main.ts', node: 'src/cli/bundled_kernel.ts', index: 'src/index.ts' },
  platform: 'node',
  external: /^(node:|ohm-js|fast-check|yaml|valibot)/,
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: '[name].js' },
  plugins: [
    {
      name: 'files-beside-the-code',
      writeBundle() {
        cpSync('tools/kernel-oracle/kernel_oracle.c', 'dist/kernel-oracle/kernel_oracle.c');
        for (const [from, to] of KERNELS) cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.ts') });
      },
    },
  ],
});
