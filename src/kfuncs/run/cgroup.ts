import { Bug } from '../../contracts/errors.ts';
import type { HostCall } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import type { Cgroup } from '../../kernel/objects/cgroups.ts';

/** References to control groups. Source: kernel/bpf/helpers.c. */

function cgroupOf(call: HostCall, index: number): Cgroup {
  const cgroup = kernelOf(call).cgroups.ofObject(call.argU32(index));
  if (cgroup === null) throw new Bug(`argument ${index + 1} is no cgroup`);
  return cgroup;
}

export function cgroupAcquire(call: HostCall): void {
  const cgroup = cgroupOf(call, 0);
  call.setReturnPointer(cgroup.isDead ? 0 : cgroup.offset);
}

export const cgroupRelease = (call: HostCall): void => void cgroupOf(call, 0);

/** cgrp, level */
export function cgroupAncestor(call: HostCall): void {
  const level = call.argLo(1);
  let at: Cgroup | null = cgroupOf(call, 0);
  if (level < 0 || level > at.level) return call.setReturnPointer(0);
  while (at !== null && at.level > level) at = at.parent;
  call.setReturnPointer(at?.offset ?? 0);
}

export function cgroupFromId(call: HostCall): void {
  call.setReturnPointer(kernelOf(call).cgroups.byId(Number(call.arg(0)))?.offset ?? 0);
}
