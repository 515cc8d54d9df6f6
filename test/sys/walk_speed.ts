/** Walks over 1,000 tasks with 200 areas each, in a process of its own, and says what that took. */
import { readFileSync } from 'node:fs';
import { assemble } from '../../src/asm/assemble.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { iterate } from '../../src/desk/iterate.ts';
import { System } from '../../src/sys/system.ts';
import { cpuTime } from '../cpu_time.ts';

const TASKS = 1000;
const AREAS = 200;
const PAGE = 4096;

/** The range of each area, added up by the open-coded iterator; one line for each task. */
const OPEN_CODED = `
  .license "GPL"
  .rodata "const char line[7]" = "%d %d\\n"
  .section "iter/task"
  .program add_areas
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r8 = 0
    r1 = r10; r1 += -8; r2 = r7; r3 = 0; call bpf_iter_task_vma_new
  next: r1 = r10; r1 += -8; call bpf_iter_task_vma_next
    if r0 == 0 goto done
    r1 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_start))
    r2 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_end))
    r2 -= r1
    r8 += r2
    goto next
  done: r1 = r10; r1 += -8; call bpf_iter_task_vma_destroy
    r1 = *(s32 *)(r7 + offsetof(task_struct, pid)); *(u64 *)(r10 - 24) = r1
    *(u64 *)(r10 - 16) = r8
    r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0)
    r2 = line ll; w3 = 7; r4 = r10; r4 += -24; w5 = 16; call bpf_seq_printf
  out: r0 = 0
    exit`;

/** Every area by the seq-file target; one line for each. */
const seqFile = (): string => readFileSync('programs/task_iter/areas.bpf.s', 'utf8');

export interface Walk {
  readonly lines: number;
  /** of CPU */
  readonly milliseconds: number;
  /** resident memory of the whole process */
  readonly bytes: number;
}

function walk(text: string): Walk {
  const profile = openBundledProfile();
  const system = new System(profile);
  for (let pid = 1; pid <= TASKS; pid++) {
    const { mm } = system.spawn(pid).task;
    for (let area = 0; area < AREAS; area++) {
      const start = 0x400000 + 2 * area * PAGE;
      mm!.add({ start, end: start + PAGE, flags: 7, pageOffset: start / PAGE });
    }
  }
  const image = assemble(text, 'walk.bpf.s', { profile });
  const loaded = system.load(image.programs[0]!, image);
  if ('refused' in loaded) throw new Error(loaded.refused.message ?? 'refused');
  const start = cpuTime();
  const result = iterate(system, image.programs[0]!, image);
  const milliseconds = cpuTime() - start;
  if (!('pieces' in result) || result.error !== null) throw new Error(JSON.stringify(result));
  const output = Buffer.concat(result.pieces).toString();
  return { lines: output.split('\n').length - 1, milliseconds, bytes: process.memoryUsage().rss };
}

console.log(JSON.stringify(walk(process.argv[2] === 'open-coded' ? OPEN_CODED : seqFile())));
