import { join } from 'node:path';
import { build, type RolldownOutput } from 'rolldown';
import { type Defect, plant } from './defect.ts';

export const ROOT = join(import.meta.dirname, '../..');
const WORKER = join(import.meta.dirname, 'worker.ts');

/** The worker and the whole of drybpf behind it as one module, with at most one defect planted. */
export async function bundle(defect: Defect | null): Promise<string> {
  const target = defect === null ? null : join(ROOT, defect.file);
  let planted = 0;
  const output: RolldownOutput = await build({
    input: WORKER,
    platform: 'node',
    external: /^node:/,
    write: false,
    output: { format: 'esm', codeSplitting: false },
    plugins: [
      {
        name: 'plant',
        transform(code, id) {
          if (defect === null || id !== target) return null;
          planted++;
          return { code: plant(code, defect), map: null };
        },
      },
    ],
  });
  if (defect !== null && planted !== 1) throw new Error(`${defect.name}: ${defect.file} is no part of the bundle`);
  return output.output[0].code;
}
