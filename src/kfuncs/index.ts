import { Bug } from '../contracts/errors.ts';
import type { Kfunc } from '../contracts/kfunc.ts';
import { arenaKfuncs } from './arena.ts';
import { castsKfuncs } from './casts.ts';
import { cgroupKfuncs } from './cgroup.ts';
import { conntrackKfuncs } from './conntrack.ts';
import { cpumaskKfuncs } from './cpumask.ts';
import { cryptoKfuncs } from './crypto.ts';
import { deferredKfuncs } from './deferred.ts';
import { dynptrKfuncs } from './dynptr.ts';
import { fileKfuncs } from './file.ts';
import { graphKfuncs } from './graph.ts';
import { iteratorsKfuncs } from './iterators.ts';
import { netKfuncs } from './net.ts';
import { objectsKfuncs } from './objects.ts';
import { probeKfuncs } from './probe.ts';
import { sectionsKfuncs } from './sections.ts';
import { sessionKfuncs } from './session.ts';
import { stringKfuncs } from './string.ts';
import { taskKfuncs } from './task.ts';
import { tcpCongestionKfuncs } from './tcp_congestion.ts';

export { kfuncAllowed } from './availability.ts';

/** Every kfunc that the base profile's kernel has, by name. */
export const kfuncs: ReadonlyMap<string, Kfunc> = indexByName([
  ...arenaKfuncs,
  ...castsKfuncs,
  ...cgroupKfuncs,
  ...conntrackKfuncs,
  ...cpumaskKfuncs,
  ...cryptoKfuncs,
  ...deferredKfuncs,
  ...dynptrKfuncs,
  ...fileKfuncs,
  ...graphKfuncs,
  ...iteratorsKfuncs,
  ...netKfuncs,
  ...objectsKfuncs,
  ...probeKfuncs,
  ...sectionsKfuncs,
  ...sessionKfuncs,
  ...stringKfuncs,
  ...taskKfuncs,
  ...tcpCongestionKfuncs,
]);

function indexByName(list: readonly Kfunc[]): ReadonlyMap<string, Kfunc> {
  const map = new Map<string, Kfunc>();
  for (const kfunc of list) {
    if (map.has(kfunc.name)) throw new Bug(`kfunc ${kfunc.name} twice`);
    map.set(kfunc.name, kfunc);
  }
  return map;
}
