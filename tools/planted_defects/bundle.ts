import { join } from 'node:path';
import { build, type RolldownOutput } from 'rolldown';
import { type Defect, filesOf, plant } from './defect.ts';

export const ROOT = join(import.meta.dirname, '../..');
const WORKER = join(import.meta.dirname, 'worker.ts');

/** The worker and the whole of drybpf behind it as one module, with at most one defect planted. */
export async function bundle(defect: Defect | null): Promise<string> {
  const targets = new Map(defect === null ? [] : filesOf(defect).map((file) => [join(ROOT, file), file]));
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
          const file = targets.get(id);
          if (defect === null || file === undefined) return null;
          planted++;
          return { code: plant(code, defect, file), map: null };
        },
      },
    ],
  });
  if (planted !== targets.size) throw new Error(`${defect?.name}: ${[...targets.values()]} is not all part of the bundle`);
  return output.output[0].code;
}
