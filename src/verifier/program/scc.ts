import type { Env } from '../env.ts';
import { successorsOf } from './cfg.ts';

/** Preorder number of an instruction that left the stack. */
const DONE = 0x7fffffff;

/**
 * Numbers the strongly connected components of the control-flow graph: instructions of one loop share a number, instructions in
 * no loop have 0 (compute_scc, kernel/bpf/verifier.c; Tarjan's algorithm with an explicit stack).
 */
export function computeScc(env: Env): void {
  const length = env.insns.length;
  const stack = new Int32Array(length);
  const pre = new Int32Array(length);
  const low = new Int32Array(length);
  const path = new Int32Array(length + 1);
  const successors = successorsOf(env);
  let stacked = 0;
  let nextPre = 1;
  let nextScc = 1;
  for (let root = 0; root < length; root++) {
    if (pre[root] !== 0) continue;
    let depth = 0;
    path[depth++] = root;
    while (depth > 0) {
      const at = path[depth - 1] as number;
      if (pre[at] === 0) {
        low[at] = pre[at] = nextPre++;
        stack[stacked++] = at;
      }
      const first = successors[at * 2] as number;
      const second = successors[at * 2 + 1] as number;
      const unseen = first >= 0 && pre[first] === 0 ? first : second >= 0 && pre[second] === 0 ? second : -1;
      if (unseen >= 0) {
        path[depth++] = unseen;
        continue;
      }
      if (first >= 0) low[at] = Math.min(low[at] as number, low[first] as number);
      if (second >= 0) low[at] = Math.min(low[at] as number, low[second] as number);
      depth--;
      if ((low[at] as number) < (pre[at] as number)) continue;
      const isLoop = stack[stacked - 1] !== at || first === at || second === at;
      for (let member = -1; member !== at; ) {
        member = stack[--stacked] as number;
        low[member] = DONE;
        if (isLoop) env.facts.scc[member] = nextScc;
      }
      if (isLoop) nextScc++;
    }
  }
  env.sccCount = nextScc;
}
