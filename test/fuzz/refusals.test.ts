import { describe, expect, it } from 'vitest';
import { isScalar, isStruct } from '../../src/btf/types.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { formatOf } from '../../src/fuzz/coverage.ts';
import { CANNOT_ARISE, REFUSALS } from '../../src/fuzz/refusals.ts';
import { isKnownCode } from '../../src/isa/opcodes.ts';

const profile = openBundledProfile();
const { btf } = profile;

describe('messages that cannot arise', () => {
  const left = Object.values(CANNOT_ARISE).flat();

  it('are not among those that are counted', () => {
    expect(left.filter((format) => REFUSALS.includes(format))).toEqual([]);
    expect(new Set(left).size).toBe(left.length);
    expect(formatOf('invalid insn idx 7 insn_cnt 7')).toBe(null);
  });

  it('have reasons that hold of the kfuncs of the kernel', () => {
    for (const entry of profile.kfuncs.values()) {
      expect(entry.flags).not.toContain('KF_DESTRUCTIVE');
      const func = btf.findByName(entry.name, 'FUNC');
      const proto = func && btf.typeOf(func.type, 'FUNC_PROTO');
      if (proto === undefined || entry.available.length === 0) continue;
      const params = proto.params.map(({ type }) => btf.skipModifiers(type));
      const result = btf.skipModifiers(proto.ret);
      const pointee = btf.resolvePtr(result.id);
      expect(params.length, entry.name).toBeLessThanOrEqual(5);
      expect(
        params.filter((type) => !isScalar(type) && type.kind !== 'PTR'),
        entry.name,
      ).toEqual([]);
      const isPlain = (entry.roles ?? []).length === 0 && !entry.flags.includes('KF_ARENA_RET');
      if (pointee !== undefined && isPlain && !isStruct(pointee)) expect(btf.sizeOf(pointee.id), entry.name).toBeGreaterThan(0);
      if (entry.flags.includes('KF_ACQUIRE')) expect(pointee, entry.name).toBeDefined();
    }
  });

  it('have reasons that hold of the types of the kernel', () => {
    const tags: string[] = [];
    const odd: string[] = [];
    for (let id = 1; id < btf.count; id++) {
      const kind = btf.kindOf(id);
      if (kind === 'TYPE_TAG') tags.push(btf.type(id).name);
      const variable = kind === 'VAR' ? btf.typeOf(id, 'VAR') : undefined;
      if (variable !== undefined && btf.sizeOf(variable.type) === undefined) odd.push(variable.name);
    }
    expect(tags.filter((name) => name === 'user')).toEqual([]);
    expect(odd).toEqual([]);
    for (const { stubs } of profile.structOps.values()) {
      const params = [...stubs.values()].flatMap((stub) => {
        const func = btf.findByName(stub, 'FUNC');
        return (func && btf.typeOf(func.type, 'FUNC_PROTO')?.params) ?? [];
      });
      expect(params.filter(({ name }) => name.endsWith('__ref'))).toEqual([]);
    }
  });

  it('have reasons that hold of instructions', () => {
    // arithmetic beyond byte order, jumps beyond may_goto, loads that are neither wide nor of a packet
    for (const code of [0xe4, 0xf7, 0xe7, 0xf5, 0xf6, 0x61 & ~7, 0x10, 0x08])
      expect(isKnownCode(code), code.toString(16)).toBe(false);
  });
});
