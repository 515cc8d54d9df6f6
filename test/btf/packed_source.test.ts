import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Btf } from '../../src/btf/btf.ts';
import { btfFromC } from '../../src/btf/c_parser.ts';
import { encodeBlob } from '../../src/btf/encode.ts';
import { BtfError } from '../../src/btf/error.ts';
import { inflate } from '../../src/btf/inflate.ts';
import { packBtf } from '../../src/btf/pack.ts';
import { type PackedPart, PackedSource } from '../../src/btf/packed_source.ts';
import type { FlatSource } from '../../src/btf/source.ts';
import { openVmlinux } from '../../src/profiles/linux_6_18/btf/vmlinux.ts';
import { cpuTime } from '../cpu_time.ts';

const deflate = (bytes: Uint8Array): Uint8Array => deflateRawSync(bytes);

const read = (part: PackedPart): Uint8Array =>
  readFileSync(new URL(`../../src/profiles/linux_6_18/btf/${part}.bin`, import.meta.url));

/** A thousand structs that point at each other, with a tag each. */
const many = btfFromC(
  Array.from(
    { length: 1000 },
    (_, i) => `struct s${i} { int field_${i}; struct s${(i * 7) % 1000} *next; } __attribute__((btf_decl_tag("t${i}")));`,
  ).join('\n'),
).btf;

describe('a packed BTF', () => {
  const parts = packBtf(many.source as FlatSource, deflate);
  const packed = new Btf(new PackedSource((part) => parts[part], inflate));

  test('has the same types', () => {
    expect([...packed.types()]).toEqual([...many.types()]);
    expect(packed.strLen).toBe(many.strLen);
  });

  test('finds the same names', () => {
    for (let i = 0; i < 1000; i += 37) expect(packed.findByName(`s${i}`, 'STRUCT')).toEqual(many.findByName(`s${i}`, 'STRUCT'));
    expect(packed.findByName('s1', 'UNION')).toBeUndefined();
    expect(packed.findByName('s1000', 'STRUCT')).toBeUndefined();
  });

  test('has the same tags', () => {
    const id = packed.findByName('s999', 'STRUCT')!.id;
    expect(packed.declTags(id)).toEqual(many.declTags(id));
    expect(packed.declTags(id)).toHaveLength(1);
  });

  test('gives the plain sections back', () => {
    const { types, strings } = (packed.source as PackedSource).sections();
    expect(encodeBlob([types], strings)).toEqual((many.source as FlatSource).bytes);
  });

  test('reads nothing but the index until a type is asked for', () => {
    const asked: string[] = [];
    const lazy = new Btf(
      new PackedSource((part) => {
        asked.push(part);
        return parts[part];
      }, inflate),
    );
    expect(lazy.findByName('no such name', 'STRUCT')).toBeUndefined();
    expect(asked).toEqual(['index']);
    lazy.findByName('s5', 'STRUCT');
    expect(asked).toEqual(['index', 'types', 'strings']);
  });

  test('that is broken is an error of one line, or reads as something else', () => {
    const mutation = fc.record({
      part: fc.constantFrom<PackedPart>('index', 'types', 'strings'),
      at: fc.nat(1 << 16),
      byte: fc.nat(255),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(mutation, ({ part, at, byte, cut }) => {
        const broken = parts[part].slice(0, cut ? at : undefined);
        if (!cut) broken[at % broken.length] = byte;
        try {
          const btf = new Btf(new PackedSource((name) => (name === part ? broken : parts[name]), inflate));
          for (const id of [1, 500, btf.count - 1]) btf.type(id);
          btf.findByName('s5', 'STRUCT');
        } catch (error) {
          expect(error).toBeInstanceOf(BtfError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the embedded vmlinux BTF', () => {
  const vmlinux = openVmlinux(read, inflate);

  test('knows the structs that programs use', () => {
    expect(vmlinux.findByName('task_struct', 'STRUCT')?.members.some(({ name }) => name === 'pid')).toBe(true);
    expect(vmlinux.findByName('bpf_dynptr', 'STRUCT')?.size).toBe(16);
    expect(vmlinux.findByName('__sk_buff', 'STRUCT')?.size).toBe(192);
    expect(vmlinux.sizeOf(vmlinux.findByName('u64', 'TYPEDEF')!.id)).toBe(8);
  });

  test('tells kfuncs by their tag', () => {
    const kfunc = vmlinux.findByName('bpf_task_acquire', 'FUNC')!;
    expect(vmlinux.declTags(kfunc.id).map(({ name }) => name)).toContain('bpf_kfunc');
    expect(vmlinux.typeOf(kfunc.type, 'FUNC_PROTO')?.params.map(({ name }) => name)).toEqual(['p']);
  });

  test('decodes to its last type', () => {
    let last = 0;
    for (const type of vmlinux.types()) last = type.id;
    expect(last).toBe(vmlinux.count - 1);
  });

  test('opens quickly', () => {
    const start = cpuTime();
    const fresh = openVmlinux(read, inflate);
    for (const name of ['task_struct', 'sk_buff', 'xdp_md', 'bpf_dynptr']) expect(fresh.findByName(name, 'STRUCT')).toBeDefined();
    expect(cpuTime() - start).toBeLessThan(300);
  });
});
