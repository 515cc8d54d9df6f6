import { describe, expect, test } from 'vitest';
import { isStruct } from '../../src/btf/types.ts';
import { isProfileName, openProfile, PROFILE_NAMES } from '../../src/profiles/index.ts';
import { readVmlinuxPart } from './packed_vmlinux.ts';

const profile = openProfile('linux-6.18', readVmlinuxPart);
const { btf, facts } = profile;

/** Names that are not in the profile's BTF as this kind. */
function missing(kind: 'FUNC' | 'STRUCT', names: Iterable<string>): string[] {
  return [...names].filter((name) => btf.findByName(name, kind) === undefined);
}

test('names', () => {
  expect(PROFILE_NAMES).toEqual(['linux-6.18']);
  expect(isProfileName('linux-6.18')).toBe(true);
  expect(isProfileName('linux-6.19')).toBe(false);
  expect(profile.version).toEqual([6, 18, 44]);
});

test('the tables are complete', () => {
  expect(profile.helpers.filter((helper) => helper !== undefined)).toHaveLength(211);
  expect(profile.mapTypes.size).toBe(33);
  expect(profile.progTypes.size).toBe(32);
  expect(profile.iterTargets.size).toBe(18);
  expect([...profile.structOps.keys()].sort()).toEqual(['bpf_dummy_ops', 'tcp_congestion_ops']);
});

describe('everything that is named is in the BTF', () => {
  test('kfuncs', () => expect(missing('FUNC', profile.kfuncs.keys())).toEqual([]));
  test('iterator targets', () => {
    const targets = [...profile.iterTargets.values()];
    expect(
      missing(
        'FUNC',
        targets.map((target) => target.attachFunction),
      ),
    ).toEqual([]);
    expect(
      missing(
        'STRUCT',
        targets.flatMap((target) => target.contextArgs.flatMap((arg) => arg.btfType ?? [])),
      ),
    ).toEqual([]);
  });
  test('slots of iterator contexts', () => {
    for (const target of profile.iterTargets.values()) {
      const struct = btf.findByName(`bpf_iter__${target.name}`, 'STRUCT')!;
      for (const arg of target.contextArgs) {
        const member = struct.members[arg.off / 8]!;
        const inner = btf.skipModifiers(member.type);
        const names = isStruct(inner) ? inner.members.map((each) => each.name) : [member.name];
        expect([target.name, names]).toEqual([target.name, expect.arrayContaining([arg.name])]);
      }
    }
  });
  test('LSM hooks', () => {
    const sets = [
      facts.sleepableLsmHooks,
      facts.untrustedLsmHooks,
      facts.boolLsmHooks,
      facts.disabledLsmHooks,
      facts.currentLsmHooks,
    ];
    expect(sets.map((set) => missing('FUNC', set))).toEqual([[], [], [], [], []]);
  });
  test('denied functions', () => {
    const names = [...facts.denied.values()].flatMap((set) => [...set]);
    expect(names.length).toBeGreaterThan(10);
    expect(missing('FUNC', names)).toEqual([]);
  });
  test('destructors and RCU protected types', () => {
    expect(missing('STRUCT', facts.destructors.keys())).toEqual([]);
    expect(missing('FUNC', facts.destructors.values())).toEqual([]);
    expect(missing('STRUCT', facts.rcuProtectedTypes)).toEqual([]);
  });
  test('structs of maps, contexts and function tables', () => {
    expect(
      missing(
        'STRUCT',
        [...profile.mapTypes.values()].flatMap((type) => type.kernelStruct ?? []),
      ),
    ).toEqual([]);
    const contexts = [...profile.progTypes.values()].filter(profile.isBuilt);
    expect(
      missing(
        'STRUCT',
        contexts.flatMap((type) => type.contextStruct ?? []),
      ),
    ).toEqual([]);
    const tables = [...profile.structOps.values()];
    expect(
      missing(
        'STRUCT',
        tables.flatMap((table) => [table.name, table.valueStruct]),
      ),
    ).toEqual([]);
    expect(
      missing(
        'FUNC',
        tables.flatMap((table) => [...table.stubs.values()]),
      ),
    ).toEqual([]);
  });
});

test('sizes of contexts are those of their structs', () => {
  const wrong = [...profile.progTypes.values()].flatMap((type) => {
    const struct = type.contextStruct === null ? undefined : btf.findByName(type.contextStruct, 'STRUCT');
    return struct === undefined || struct.size === type.contextSize || struct.size === 0 ? [] : [[type.name, struct.size]];
  });
  expect(wrong).toEqual([]);
});

/** Whether a struct, or what is anonymous in it, has a member of this name at this byte. */
function hasMemberAt(id: number, name: string, off: number): boolean {
  const struct = btf.skipModifiers(id);
  if (!isStruct(struct)) return false;
  return struct.members.some((member) =>
    member.name === ''
      ? hasMemberAt(member.type, name, off - member.bitOffset / 8)
      : member.name === name && member.bitOffset === 8 * off,
  );
}

test('rows of context tables lie where their members are', () => {
  const wrong = [...profile.progTypes.values()].flatMap((type) => {
    const struct = type.contextStruct === null ? undefined : btf.findByName(type.contextStruct, 'STRUCT');
    if (struct === undefined) return [];
    const rows = type.contextFields.filter((row) => row.name !== 'padding' && !hasMemberAt(struct.id, row.name, row.off));
    return rows.map((row) => `${type.name}.${row.name} at ${row.off}`);
  });
  expect(wrong).toEqual([]);
});

test('the kernel has the safe fields under the same names in its BTF', () => {
  for (const [suffix, structs] of facts.safeFields) {
    for (const [struct, fields] of structs) {
      const safe = btf.findByName(struct + suffix, 'STRUCT');
      expect([struct, safe?.members.map((member) => member.name)]).toEqual([struct, fields]);
    }
  }
});

test('function members of struct_ops that no program may implement', () => {
  const refused = [...profile.structOps.values()].flatMap((table) => {
    const struct = btf.findByName(table.name, 'STRUCT')!;
    const functions = struct.members.filter((member) => btf.resolvePtr(member.type)?.kind === 'FUNC_PROTO');
    expect(table.members.filter((name) => !functions.some((member) => member.name === name))).toEqual([]);
    return functions.map((member) => member.name).filter((name) => !table.members.includes(name));
  });
  expect(refused).toEqual(['get_info']);
});

test.each([
  ['tcp_send_reset', 0x11n],
  ['cachefiles_lookup', 0x201n],
  ['mr_integ_alloc', 0x2000n],
  ['bpf_testmod_test_read', 0n],
])('NULL arguments of tracepoint %s', (name, mask) => expect(facts.rawTpNullArgs.get(name)).toBe(mask));

test('an unknown tracepoint has no NULL arguments', () => {
  expect(facts.rawTpNullArgs.get('sched_switch')).toBeUndefined();
  expect(facts.rawTpNullArgs.size).toBe(137);
});

test.each([
  ['__start_BTF', true],
  ['__stop_BTF', true],
  ['bpf_link_fops', false],
  ['init_task', false],
])('/proc/kallsyms has %s: %s', (name, present) => expect(facts.dataSymbols.has(name)).toBe(present));

test('every function without an address is one of the BTF', () => {
  const unknown = [...facts.functionsWithoutAddress].filter((name) => profile.btf.findByName(name, 'FUNC') === undefined);
  expect([unknown, facts.functionsWithoutAddress.size]).toEqual([[], 944]);
});

describe('configuration', () => {
  test.each([
    ['CONFIG_BPF_JIT', 'y'],
    ['CONFIG_HZ', '250'],
    ['CONFIG_NR_CPUS', '256'],
    ['CONFIG_DEFAULT_HOSTNAME', '"(none)"'],
    ['CONFIG_MODULES', undefined],
    ['CONFIG_BPF_LIRC_MODE2', undefined],
  ])('%s is %s', (name, value) => expect(profile.kconfig.get(name)).toBe(value));

  test('what is not built', () => {
    const absent = [...profile.progTypes.values(), ...profile.mapTypes.values(), ...profile.iterTargets.values()];
    expect(absent.filter((entry) => !profile.isBuilt(entry)).map((entry) => entry.name)).toEqual(['lirc_mode2']);
  });
});
