import { BPF_ADD, BPF_AND } from '../../../isa/constants.ts';
import type { Generator } from '../generator.ts';
import { btfOfTypes, OBJECT_TYPES, STRUCT_OF } from '../object_types.ts';
import { type MapRole, PALETTE } from '../palette.ts';
import { UNKNOWN_SCALAR } from '../scope.ts';
import { gather, newGathering } from '../things/gather.ts';
import { type Put, parked } from '../things/lend.ts';
import { whenNotNull } from './maps.ts';

/** Values of maps with fields of special meaning, touched as if they were data. */

const ROLES: readonly MapRole[] = ['kept', 'kept', 'kept', 'graph', 'timed', 'locked', 'working', 'tasked', 'patient', 'storage'];
const STORAGE_GET: Readonly<Record<string, number>> = { of_socket: 107, of_task: 156, of_inode: 145, of_cgroup: 210 };
const XCHG = 194;
const ATOMIC_ADD = 0xdb;

/** Lends a pointer to a value of a map of a role, by lookup or as the storage of an object. */
const withValue = (g: Generator, role: MapRole, use: (put: Put, struct: string) => void): void => {
  const { code } = g;
  const candidates = PALETTE.filter((entry) => entry.role === role).map(({ make }) => make());
  const fitting = candidates.filter((def) => g.mayUse(def));
  if (fitting.length === 0 && !g.wrongMoreOften(5)) return;
  const map = g.addMap(g.random.pick(fitting.length === 0 ? candidates : fitting));
  const struct = STRUCT_OF[map.def.name] ?? 'plain';
  const get = STORAGE_GET[map.def.name];
  const lend = (): void => whenNotNull(g, { kind: 'opaque' }, () => parked(g, 0, (put) => use(put, struct)));
  g.saveCallerRegisters();
  if (get === undefined) {
    g.stackPointer(2, g.stackData(map.def.keySize));
    g.loadMap(1, map);
    code.callHelper(1);
    g.scope.called(null);
    lend();
    return;
  }
  const owner = map.def.name === 'of_task' ? 'task_struct' : map.def.name === 'of_cgroup' ? 'cgroup' : 'inode';
  gather(g, [map.def.name === 'of_socket' ? { kind: 'socket' } : { kind: 'struct', struct: owner }], newGathering(), ([put]) => {
    put?.(2);
    g.loadMap(1, map);
    code.movK(3, 0);
    code.movK(4, 1);
    code.callHelper(get);
    g.scope.called(null);
    lend();
  });
};

/** Byte offset of a field of a struct; mostly of a field, sometimes beside it. */
const place = (g: Generator, name: string): number => {
  const struct = btfOfTypes(OBJECT_TYPES).findByName(name, 'STRUCT');
  const member = struct === undefined || struct.members.length === 0 ? undefined : g.random.pick(struct.members);
  const off = member === undefined ? 0 : member.bitOffset / 8;
  return g.wrongMoreOften(8) ? off + g.random.pick([-4, 4, 8, 1]) : off;
};

/** Loads, stores, atomics, exchanges and helpers on a field of a value. */
export const specialValue = (g: Generator): void => {
  const { code, random } = g;
  withValue(g, random.pick(ROLES), (put, struct) => {
    const off = place(g, struct);
    const at: Put = (reg) => {
      put(reg);
      if (off !== 0) code.aluK(BPF_ADD, reg, off);
    };
    const size = random.chance(0.75) ? 8 : random.pick([1, 2, 4]);
    if (g.wrongMoreOften(8)) {
      // at an offset that is not known
      code.callHelper(g.kernel.helper('bpf_get_prandom_u32'));
      g.scope.called(UNKNOWN_SCALAR);
      code.aluK(BPF_AND, 0, random.pick([1, 8, 15]));
      put(1);
      code.aluX(BPF_ADD, 1, 0);
      if (random.chance(0.5)) code.load(size, 0, 1, off);
      else {
        code.movK(2, 0);
        code.callHelper(XCHG);
        g.scope.called(null);
      }
      return;
    }
    switch (random.below(7)) {
      case 0:
        put(1);
        code.load(size, 0, 1, off);
        if (size === 8 && random.chance(0.5)) code.load(4, 0, 0, 8 * random.below(3));
        break;
      case 1:
        put(1);
        code.storeImm(size, 1, off, random.chance(0.6) ? 0 : 1);
        break;
      case 2:
        put(1);
        code.movK(2, 0);
        code.store(size, 1, off, 2);
        break;
      case 3:
        put(1);
        code.movK(2, 1);
        code.raw(random.chance(0.8) ? ATOMIC_ADD : 0xc3, 1, 2, off, random.pick([0, 1, 0xe1, 0x100, 0x110]));
        break;
      case 4:
      case 5:
        exchange(g, at);
        break;
      default:
        // the bytes of the field, for a helper to fill or to read
        at(1);
        code.movK(2, random.pick([4, 8, 16]));
        code.movK(3, 0);
        code.callHelper(g.kernel.helper('bpf_probe_read_kernel'));
        g.scope.called(UNKNOWN_SCALAR);
    }
    g.scope.regs[0] = null;
  });
};

/** A reference, or nothing, goes into the field; what was there comes out. */
const exchange = (g: Generator, at: Put): void => {
  const { code, random } = g;
  const kind = random.pick(['null', 'allocated', 'refcounted', 'struct', 'struct', 'map-value'] as const);
  const struct = kind === 'struct' ? { struct: random.pick(['task_struct', 'bpf_cpumask', 'cgroup']) } : {};
  gather(g, [{ kind, ...struct }], newGathering(), ([put]) => {
    put?.(2);
    at(1);
    code.callHelper(XCHG);
    g.scope.called(null);
    parked(g, 0, (old) => {
      const end = code.label();
      code.jumpK(0x10, 0, 0, end);
      old(1);
      code.movK(2, 0);
      const giver = random.pick(['bpf_task_release', 'bpf_cpumask_release', 'bpf_obj_drop_impl', 'bpf_percpu_obj_drop_impl']);
      code.callKfunc(g.kernel.kfunc(giver));
      g.scope.called(null);
      code.place(end);
    });
  });
};
