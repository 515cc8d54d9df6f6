import { BPF_ADD, BPF_JEQ } from '../../../isa/constants.ts';
import { whenNotNull } from '../blocks/maps.ts';
import type { Generator } from '../generator.ts';
import { LOCAL_STRUCTS, localOffset, localStructId, STRUCT_OF } from '../object_types.ts';
import type { MapRole } from '../palette.ts';
import { callKfunc, fromCall, given, type Put, parked, REFERENCE, type Source } from './lend.ts';

/** Things in values of maps, objects that programs allocate, and the lists and trees that hold them. */

const LOOKUP = 1;
const SPIN_LOCK = 93;
const SPIN_UNLOCK = 94;

/** The value of a map of a role, at a place inside. */
export const inMap =
  (role: MapRole, place: (g: Generator, struct: string) => number): Source =>
  (g, _, gathering, use) => {
    const map = g.map(role);
    if (!g.mayUse(map.def) && !g.wrongMoreOften(10)) return use(given(g, 0));
    gathering.map = map;
    const { struct, off } = { struct: STRUCT_OF[map.def.name] ?? '', off: g.wrongMoreOften(8) ? g.random.below(8) * 4 : null };
    if (map.def.maxEntries === 1 && (g.around.locked || g.random.chance(0.5))) {
      const at = off ?? place(g, struct);
      return use((reg) => g.code.wide(reg, 2, map.index, at));
    }
    g.saveCallerRegisters();
    g.stackPointer(2, g.stackData(map.def.keySize));
    g.loadMap(1, map);
    g.code.callHelper(LOOKUP);
    g.scope.called(null);
    whenNotNull(g, REFERENCE, () =>
      parked(g, 0, (put) => {
        const at = off ?? place(g, struct);
        use((reg) => {
          put(reg);
          if (at !== 0) g.code.aluK(BPF_ADD, reg, at);
        });
      }),
    );
  };

export const member =
  (name: string) =>
  (_: Generator, struct: string): number =>
    localOffset(struct, name);
export const KPTRS = ['task', 'loose', 'mask', 'own', 'node', 'each'] as const;
export const allocate = (g: Generator, struct: string, percpu: boolean): void => {
  g.allocates = true;
  g.code.movK(1, localStructId(struct));
  g.code.movK(2, 0);
  callKfunc(g, percpu ? 'bpf_percpu_obj_new_impl' : 'bpf_obj_new_impl');
};

export const drop = (g: Generator, put: Put, percpu = false): void => {
  put(1);
  g.code.movK(2, 0);
  callKfunc(g, percpu ? 'bpf_percpu_obj_drop_impl' : 'bpf_obj_drop_impl');
};

export const allocated: Source = (g, _, __, use) => {
  const { random } = g;
  const percpu = random.chance(0.25);
  const struct = g.wrongMoreOften(15)
    ? random.pick(LOCAL_STRUCTS)
    : percpu
      ? 'plain'
      : random.pick(['item', 'shared', 'plain', 'holder']);
  fromCall(
    g,
    () => allocate(g, struct, percpu),
    use,
    (put) => drop(g, put, g.wrongMoreOften(10) ? !percpu : percpu),
  );
};

/** A node that is given to a list or tree: nothing of it is left. */
export const node =
  (place: 'list' | 'tree'): Source =>
  (g, _, __, use) => {
    const struct = place === 'tree' || g.random.chance(0.4) ? 'shared' : 'item';
    fromCall(
      g,
      () => allocate(g, g.wrongMoreOften(6) ? 'plain' : struct, false),
      (put) =>
        use((reg) => {
          put(reg);
          const off = g.wrongMoreOften(6) ? 4 * g.random.below(12) : localOffset(struct, place);
          if (off !== 0) g.code.aluK(BPF_ADD, reg, off);
        }),
      g.wrongMoreOften(5) ? (put) => drop(g, put) : null,
    );
  };

/** A root in a value, whose lock is held. */
export const root =
  (place: 'list' | 'tree'): Source =>
  (g, _, gathering, use) => {
    const { code, random } = g;
    const name = place === 'tree' ? 'tree' : random.pick(['items', 'second']);
    const value: Source = inMap('graph', () => 0);
    value(g, _, gathering, (put) => {
      const isLocked = !g.wrongMoreOften(6);
      if (isLocked) {
        put(1);
        code.callHelper(SPIN_LOCK);
        g.scope.called(null);
      }
      const off = g.wrongMoreOften(6) ? random.pick([0, 4, 8, 24, 32, 40, 56]) : localOffset('graph', name);
      const at: Put = (reg) => {
        put(reg);
        code.aluK(BPF_ADD, reg, off);
      };
      gathering.root = at;
      g.within({ owes: true }, () => use(at));
      if (g.scope.isEnded || !isLocked || g.wrongMoreOften(3)) return;
      put(1);
      code.callHelper(SPIN_UNLOCK);
      g.scope.called(null);
    });
  };

/** A node that a tree holds: only while the lock is. */
export const heldNode: Source = (g, _, gathering, use) => {
  if (gathering.root === null) return use(given(g, 0));
  gathering.root(1);
  if (!callKfunc(g, g.random.pick(['bpf_rbtree_first', 'bpf_rbtree_root']))) return use(given(g, 0));
  const end = g.code.label();
  const isChecked = !g.wrongMoreOften(3);
  if (isChecked) g.code.jumpK(BPF_JEQ, 0, 0, end);
  parked(g, 0, use);
  g.code.place(end);
};
