import type { Env } from '../env.ts';
import type { Next } from '../explore.ts';
import { checkResourceLeak } from './resources.ts';
import { checkReturnCode } from './return_code.ts';
import { prepareFuncExit } from './subprogram.ts';

/**
 * An exit instruction, or a throw (by the kfunc `thrower`), which ends the program from any depth. A callback must hold what its caller
 * held, so references are looked at before it returns (process_bpf_exit_full).
 */
export function processExit(env: Env, thrower: string | null): Next {
  const isOutermost = env.cur.curframe === 0;
  const exceptionExit = thrower !== null;
  checkResourceLeak(env, exceptionExit, exceptionExit || isOutermost, thrower ?? 'BPF_EXIT instruction in main prog');
  if (exceptionExit) return 'path-ends';
  if (!isOutermost) {
    prepareFuncExit(env);
    return 'go-on-and-print';
  }
  checkReturnCode(env, 0, 'R0');
  return 'path-ends';
}
