import { Bug } from '../contracts/errors.ts';
import type { Helper } from '../contracts/helper.ts';
import { cgroupHelpers } from './cgroup.ts';
import { checksumHelpers } from './checksum.ts';
import { controlHelpers } from './control.ts';
import { cpuHelpers } from './cpu.ts';
import { dynptrHelpers } from './dynptr.ts';
import { lircHelpers } from './lirc.ts';
import { lsmHelpers } from './lsm.ts';
import { lwtHelpers } from './lwt.ts';
import { mapHelpers } from './map.ts';
import { objectHelpers } from './object.ts';
import { perfHelpers } from './perf.ts';
import { printHelpers } from './print.ts';
import { probeHelpers } from './probe.ts';
import { redirectHelpers } from './redirect.ts';
import { ringbufHelpers } from './ringbuf.ts';
import { routeHelpers } from './route.ts';
import { skMsgHelpers } from './sk_msg.ts';
import { skbHelpers } from './skb.ts';
import { sockOpsHelpers } from './sock_ops.ts';
import { socketHelpers } from './socket.ts';
import { socketCastHelpers } from './socket_cast.ts';
import { stackHelpers } from './stack.ts';
import { storageHelpers } from './storage.ts';
import { stringHelpers } from './string.ts';
import { syncookieHelpers } from './syncookie.ts';
import { syscallHelpers } from './syscall.ts';
import { sysctlHelpers } from './sysctl.ts';
import { taskHelpers } from './task.ts';
import { timeHelpers } from './time.ts';
import { timerHelpers } from './timer.ts';
import { tracingHelpers } from './tracing.ts';
import { tunnelHelpers } from './tunnel.ts';
import { xdpHelpers } from './xdp.ts';

export { selectProto, selectProtoWith } from './availability.ts';

/** Every helper of Linux 6.18 by id; index 0 is empty. Each id from 1 to 211 has exactly one entry. */
export const helpers: readonly (Helper | undefined)[] = indexById([
  ...cgroupHelpers,
  ...checksumHelpers,
  ...controlHelpers,
  ...cpuHelpers,
  ...dynptrHelpers,
  ...lircHelpers,
  ...lsmHelpers,
  ...lwtHelpers,
  ...mapHelpers,
  ...objectHelpers,
  ...perfHelpers,
  ...printHelpers,
  ...probeHelpers,
  ...redirectHelpers,
  ...ringbufHelpers,
  ...routeHelpers,
  ...skMsgHelpers,
  ...skbHelpers,
  ...sockOpsHelpers,
  ...socketHelpers,
  ...socketCastHelpers,
  ...stackHelpers,
  ...storageHelpers,
  ...stringHelpers,
  ...syncookieHelpers,
  ...syscallHelpers,
  ...sysctlHelpers,
  ...taskHelpers,
  ...timeHelpers,
  ...timerHelpers,
  ...tracingHelpers,
  ...tunnelHelpers,
  ...xdpHelpers,
]);

function indexById(list: readonly Helper[]): (Helper | undefined)[] {
  const table: (Helper | undefined)[] = [];
  for (const helper of list) {
    if (table[helper.id] !== undefined) throw new Bug(`helper id ${helper.id} twice`);
    table[helper.id] = helper;
  }
  return table;
}
