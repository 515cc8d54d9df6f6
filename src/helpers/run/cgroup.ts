import { ERRNO, Unmodelled } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { KERNEL } from '../../kernel/kernel_model.ts';
import type { Cgroup } from '../../kernel/objects/cgroups.ts';
import { skbOf } from '../../kernel/socket_buffer.ts';

/** Control groups of tasks and packets. Source: kernel/bpf/helpers.c, net/core/filter.c. */

/** The class of tasks in no group of net_cls, which are all that there are. */
export const currentClassid = (call: HostCall): void => call.setReturn(0, 0);

/** Class of the socket that owns the packet; 0 without one. */
export function skbCgroupClassid(call: HostCall): void {
  const { skb } = skbOf(call);
  call.setReturnNumber(skb.sk === 0 ? 0 : skb.cgroupClassid);
}

/** Id of the ancestor at a level; 0 when the group stands above it. Source: cgroup_ancestor, include/linux/cgroup.h. */
function ancestorId(group: Cgroup, level: number): number {
  if (level < 0 || level > group.level) return 0;
  let at = group;
  while (at.level > level && at.parent !== null) at = at.parent;
  return at.id;
}

/** ancestor_level */
export function currentAncestorCgroupId(call: HostCall): void {
  const { model } = call.part(KERNEL);
  const group = model?.tasks.at(call.task.offset)?.cgroup ?? model?.cgroups.byId(Number(call.task.cgroupId)) ?? null;
  if (group === null) throw new Unmodelled('kernel objects', 'the program runs without a world');
  call.setReturnNumber(ancestorId(group, call.argLo(0)));
}

/** skb, ancestor_level: 0 for a packet without socket */
export function skbAncestorCgroupId(call: HostCall): void {
  const { skb } = skbOf(call);
  const group = skb.sk === 0 ? null : (call.part(KERNEL).model?.cgroups.byId(Number(skb.cgroupId)) ?? null);
  call.setReturnNumber(group === null ? 0 : ancestorId(group, call.argLo(1)));
}

/** map, idx: nothing can be put into a cgroup array here, so that every slot is empty */
export function currentTaskUnderCgroup(call: HostCall): void {
  call.setReturnNumber(call.argU32(1) >= call.map(0).maxEntries ? -ERRNO.E2BIG : -ERRNO.EAGAIN);
}

/** skb, map, idx */
export function skbUnderCgroup(call: HostCall): void {
  if (skbOf(call).skb.sk === 0) return call.setReturnNumber(-ERRNO.ENOENT);
  call.setReturnNumber(call.argU32(2) >= call.map(1).maxEntries ? -ERRNO.E2BIG : -ERRNO.EAGAIN);
}
