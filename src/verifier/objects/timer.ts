import { Bug } from '../../contracts/errors.ts';
import type { Env } from '../env.ts';
import type { MapInfo } from '../state/map_info.ts';
import { mapOf, type Reg } from '../state/reg.ts';
import { checkMapFieldPointer } from './map_fields.ts';

/** Timers, work queues and task work in map values. Source: process_timer_func and its neighbours, kernel/bpf/verifier.c. */

/** What a call learns of its map: the map of the object, to compare with the map argument. */
export interface MapArg {
  map: MapInfo | null;
  mapUid: number;
}

function process(env: Env, regno: number, meta: MapArg, type: 'BPF_TIMER' | 'BPF_WORKQUEUE' | 'BPF_TASK_WORK'): void {
  checkMapFieldPointer(env, regno, type);
  if (meta.map) throw new Bug(`Two map pointers in a call with a ${type}`);
  const reg = env.cur.top.regs[regno] as Reg;
  meta.map = mapOf(reg);
  meta.mapUid = reg.aux;
}

/** Register `regno`, a map value, points to its timer (process_timer_func). */
export const processTimer = (env: Env, regno: number, meta: MapArg): void => process(env, regno, meta, 'BPF_TIMER');

/** Register `regno`, a map value, points to its work queue (process_wq_func). */
export const processWorkqueue = (env: Env, regno: number, meta: MapArg): void => process(env, regno, meta, 'BPF_WORKQUEUE');

/** Register `regno`, a map value, points to its task work (process_task_work_func). */
export const processTaskWork = (env: Env, regno: number, meta: MapArg): void => process(env, regno, meta, 'BPF_TASK_WORK');
