import type { HostCall } from '../../contracts/host_call.ts';
import { LOCAL_OBJECTS } from '../../kernel/local_objects.ts';
import { dropObject, initFields } from '../../kernel/object_life.ts';

/** Objects of a program's own structs. Source: kernel/bpf/helpers.c; kernel/bpf/memalloc.c. */

/** The largest object that the allocator has a cache for, without the list node that it keeps before each. */
const LARGEST_OBJECT = 4096 - 8;
const LARGEST_PERCPU = 4096;

const structName = (call: HostCall, typeId: number): string => {
  const type = call.program.btf?.typeOrUndefined(typeId);
  return type?.kind === 'STRUCT' ? `struct ${type.name}` : `type ${typeId}`;
};

/** local_type_id__k, meta__ign: the verifier has put a size in place of the type by the time Linux gets here */
export function objNew(call: HostCall): void {
  const typeId = call.argU32(0);
  const size = call.program.btf?.sizeOf(typeId) ?? 0;
  const what = structName(call, typeId);
  const fails = size === 0 || size > LARGEST_OBJECT || call.allocationFails();
  const at = fails ? 0 : call.memory.allocate(size, { what });
  if (at !== 0) {
    const record = call.localFields(typeId);
    initFields(call, record, at);
    call.part(LOCAL_OBJECTS).add(at, what, record, false);
  }
  call.setReturnPointer(at);
}

export function percpuObjNew(call: HostCall): void {
  const typeId = call.argU32(0);
  const size = call.program.btf?.sizeOf(typeId) ?? 0;
  const what = structName(call, typeId);
  const fails = size === 0 || size > LARGEST_PERCPU || call.allocationFails();
  const lo = fails ? 0 : call.percpu.allocate(size, what);
  if (lo !== 0) call.part(LOCAL_OBJECTS).add(lo, what, null, true);
  call.setReturn(lo, lo === 0 ? 0 : call.percpu.high);
}

/** p__alloc, meta__ign */
export function objDrop(call: HostCall): void {
  const objects = call.part(LOCAL_OBJECTS);
  const object = objects.need(call.argLo(0));
  objects.giveUp(object);
  dropObject(call, object);
}

/** p__refcounted_kptr, meta__ign: NULL for an object that only readers still see */
export function refcountAcquire(call: HostCall): void {
  const { memory } = call;
  const objects = call.part(LOCAL_OBJECTS);
  const object = objects.need(call.argLo(0));
  const at = object.lo + (object.record?.refcountOff ?? 0);
  const count = memory.loadU32(at);
  if (count === 0) return call.setReturnPointer(0);
  memory.storeI32(at, count + 1);
  objects.hold(object);
  call.setReturnPointer(object.lo);
}
