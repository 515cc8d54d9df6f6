import type { Env } from '../env.ts';
import type { Next } from '../explore.ts';
import { checkResourceLeak } from './resources.ts';
import { checkReturnCode } from './return_code.ts';
import { prepareFuncExit } from './subprogram.ts';

/**
 * An exit instruction, or a throw (`exceptionExit`), which ends the program from any depth. A callback must hold what its caller
 * held, so references are looked at before it returns (process_bpf_exit_full).
 */
export function processExit(env: Env, exceptionExit: boolean): Next {
  const isOutermost = env.cur.curframe === 0;
  const prefix = exceptionExit ? 'bpf_throw' : 'BPF_EXIT instruction in main prog';
  checkResourceLeak(env, exceptionExit, exceptionExit || isOutermost, prefix);
  if (exceptionExit) return 'path-ends';
  if (!isOutermost) {
    prepareFuncExit(env);
    return 'go-on-and-print';
  }
  checkReturnCode(env, 0, 'R0');
  return 'path-ends';
}
