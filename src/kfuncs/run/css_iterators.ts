import { Bug, ERRNO } from '../../contracts/errors.ts';
import type { HostCall, PartKey } from '../../contracts/host_call.ts';
import { kernelOf } from '../../kernel/kernel_model.ts';
import { type Cgroup, nextDescendantPost, nextDescendantPre } from '../../kernel/objects/cgroups.ts';
import type { Task } from '../../kernel/objects/task.ts';

/** Walks over control groups and over the tasks in one. Source: kernel/bpf/cgroup_iter.c, kernel/bpf/task_iter.c. */

/** bpf_iter_css: | start, a cgroup_subsys_state | the one given last | flags | */
const CSS_BYTES = 24;
const POSITION_AT = 8;
const FLAGS_AT = 16;

const DESCENDANTS_PRE = 2;
const DESCENDANTS_POST = 3;
const ANCESTORS_UP = 4;

/** it, start, flags */
export function cssNew(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, CSS_BYTES);
  const flags = call.argU32(2);
  memory.store64(at, 0, 0);
  if (flags < DESCENDANTS_PRE || flags > ANCESTORS_UP) return call.setReturnNumber(-ERRNO.EINVAL);
  memory.store64(at, call.argLo(1), call.argHi(1));
  memory.store64(at + POSITION_AT, 0, 0);
  memory.storeI32(at + FLAGS_AT, flags);
  call.setReturn(0, 0);
}

function nextGroup(flags: number, current: Cgroup | null, start: Cgroup): Cgroup | null {
  switch (flags) {
    case DESCENDANTS_PRE:
      return nextDescendantPre(current, start);
    case DESCENDANTS_POST:
      return nextDescendantPost(current, start);
    case ANCESTORS_UP:
      return current === null ? start : current.parent;
    default:
      throw new Bug(`css iterator with flags ${flags}`);
  }
}

export function cssNext(call: HostCall): void {
  const { memory } = call;
  const { cgroups } = kernelOf(call);
  const at = call.writable(0, CSS_BYTES);
  const start = cgroups.ofCss(memory.loadU32(at));
  if (start === null) return call.setReturnPointer(0);
  const position = memory.loadU32(at + POSITION_AT);
  const current = position === 0 ? null : cgroups.ofCss(position);
  const css = nextGroup(memory.loadU32(at + FLAGS_AT), current, start)?.css ?? 0;
  memory.store64(at + POSITION_AT, css, css === 0 ? 0 : memory.high);
  call.setReturnPointer(css);
}

export const cssDestroy = (call: HostCall): void => void call.writable(0, CSS_BYTES);

/** bpf_iter_css_task: the address of the walk's state. */
const CSS_TASK_BYTES = 8;
/** sizeof(struct css_task_iter) */
const WALK_BYTES = 112;
const PROCS = 1;
const THREADED = 2;

/** Walks that go on, by the offset of their state: the tasks that are still to come. */
const WALKS: PartKey<Map<number, Task[]>> = { name: 'css_task iterators', create: () => new Map() };

/** it, css, flags */
export function cssTaskNew(call: HostCall): void {
  const { memory } = call;
  const at = call.writable(0, CSS_TASK_BYTES);
  const flags = call.argU32(2);
  memory.store64(at, 0, 0);
  if (flags !== 0 && flags !== PROCS && flags !== (PROCS | THREADED)) return call.setReturnNumber(-ERRNO.EINVAL);
  const walk = call.allocationFails()
    ? 0
    : memory.allocate(WALK_BYTES, { what: 'walk over the tasks of a cgroup', readOnly: true });
  if (walk === 0) return call.setReturnNumber(-ERRNO.ENOMEM);
  const cgroup = kernelOf(call).cgroups.ofCss(call.argU32(1));
  const tasks = (cgroup?.tasks ?? []).filter((task) => (flags & PROCS) === 0 || task.isLeader);
  call.part(WALKS).set(walk, [...tasks].reverse());
  memory.store64(at, walk, memory.high);
  call.setReturn(0, 0);
}

export function cssTaskNext(call: HostCall): void {
  const walk = call.memory.loadU32(call.writable(0, CSS_TASK_BYTES));
  const left = walk === 0 ? undefined : call.part(WALKS).get(walk);
  let task = left?.pop();
  while (task?.isDead === true) task = left?.pop();
  call.setReturnPointer(task?.offset ?? 0);
}

export function cssTaskDestroy(call: HostCall): void {
  const walk = call.memory.loadU32(call.writable(0, CSS_TASK_BYTES));
  if (walk === 0) return;
  call.part(WALKS).delete(walk);
  call.memory.free(walk);
}
