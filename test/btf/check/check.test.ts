import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BtfBuilder } from '../../../src/btf/builder.ts';
import { btfFromC } from '../../../src/btf/c_parser.ts';
import { checkBtf } from '../../../src/btf/check/check.ts';
import { BtfError } from '../../../src/btf/error.ts';
import type { KernelTypes } from '../../../src/btf/fields.ts';
import type { FlatSource } from '../../../src/btf/source.ts';
import { ERRNO } from '../../../src/contracts/errors.ts';

const kernel: KernelTypes = {
  btf: btfFromC('struct task_struct { int pid; };').btf,
  destructors: new Map([['task_struct', 'bpf_task_release']]),
};

const bytesOf = (text: string): Uint8Array => (btfFromC(text).btf.source as FlatSource).bytes;

/** Error number (0: taken) and log. */
const check = (bytes: Uint8Array): { errno: number; log: string } => {
  let log = '';
  try {
    checkBtf(bytes, kernel, (text) => {
      log += text;
    });
    return { errno: 0, log };
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    return { errno: ERRNO[error.errno], log };
  }
};

interface Golden {
  readonly provenance: string;
  readonly sources: readonly string[];
  readonly cases: readonly { source: number; patches: readonly [number, number][]; errno: number; log: string }[];
}

const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Golden;

describe('the verdict and log of a real kernel', () => {
  const rows = golden.cases.map((row) => [row.log.trimEnd().split('\n').at(-1)!, row] as const);
  test.each(rows)('%s', (_, { source, patches, errno, log }) => {
    const bytes = bytesOf(golden.sources[source]!).slice();
    const view = new DataView(bytes.buffer);
    for (const [offset, word] of patches) view.setUint32(offset, word, true);
    expect(check(bytes)).toEqual({ errno, log });
  });
});

describe('references', () => {
  const refused = (build: (builder: BtfBuilder) => void): string => {
    const builder = new BtfBuilder();
    build(builder);
    try {
      checkBtf(builder.encode(), kernel);
      return 'taken';
    } catch (error) {
      return `${(error as BtfError).errno} ${(error as BtfError).message}`;
    }
  };
  const member = (name: string, type: number) => ({ name, type, bitOffset: 0 });

  test('a struct in itself', () =>
    expect(refused((b) => b.struct('s', 8, [member('s', 1)]))).toBe('EEXIST [1] STRUCT s size=8 vlen=1 Loop detected'));
  test('a pointer to itself', () => expect(refused((b) => b.ptr(1))).toBe('EEXIST [1] PTR (anon) type_id=1 Loop detected'));
  test('a loop of typedefs', () =>
    expect(
      refused((b) => {
        b.typedef('a', 2);
        b.typedef('b', 1);
      }),
    ).toBe('EEXIST [1] TYPEDEF a type_id=2 Loop detected'));
  test('a struct that points to itself is taken', () =>
    expect(
      refused((b) => {
        b.struct('s', 8, [member('next', 2)]);
        b.ptr(1);
      }),
    ).toBe('taken'));
  test('a chain too deep', () =>
    expect(
      refused((b) => {
        for (let i = 1; i <= 40; i++) b.ptr(i + 1);
        b.int('int', 4);
      }),
    ).toBe('E2BIG [1] PTR (anon) type_id=2 Exceeded max resolving depth:32'));
  test('tags behind a qualifier', () =>
    expect(refused((b) => b.ptr(b.const(b.typeTag('kptr', b.int('int', 4)))))).toBe("EINVAL Type tags don't precede modifiers"));
  test('a variable outside of its section', () =>
    expect(refused((b) => b.datasec('.data', 4, [{ type: b.variable('v', b.int('long', 8)), offset: 0, size: 4 }]))).toContain(
      'EINVAL type_id=2 offset=0 size=4 Invalid size',
    ));
  test('a list of a struct that is not there', () =>
    expect(
      refused((b) => {
        const word = b.int('u64', 8, 0);
        const lock = b.struct('bpf_spin_lock', 4, [member('val', b.int('u32', 4, 0))]);
        const head = b.struct('bpf_list_head', 16, [member('a', b.array(word, 2))]);
        const holder = b.struct('v', 24, [member('lock', lock), { name: 'head', type: head, bitOffset: 64 }]);
        b.declTag('contains:nope:l', holder, 1);
      }),
    ).toBe("ENOENT 'contains' tag names no struct: nope:l"));
});

test('structs that a program may allocate are found', () => {
  const checked = checkBtf(
    bytesOf(
      'struct bpf_rb_node { u64 a[4]; }; struct bpf_refcount { u32 a; }; struct n { struct bpf_rb_node r; struct bpf_refcount c; };',
    ),
    kernel,
  );
  expect([...checked.structMetas.values()].map(({ refcountOff }) => refcountOff)).toEqual([32]);
});

test('no blob breaks the checks', () => {
  const whole = golden.sources.map(bytesOf);
  const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(40), fc.nat(0xffffffff)));
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.array(change, { maxLength: 6 }), fc.option(fc.nat()), (base, changes, cut) => {
      const bytes = base.slice(0, cut === null ? undefined : cut % base.length);
      const view = new DataView(bytes.buffer);
      for (const [at, word] of changes) if (bytes.length >= 4) view.setUint32(at % (bytes.length - 3), word >>> 0, true);
      const { errno } = check(bytes);
      expect(errno).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 3000 },
  );
});
