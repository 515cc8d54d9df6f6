import { expect, test } from 'vitest';
import type { IterContextArg } from '../../src/contracts/iter_target.ts';
import { ITER_TARGETS } from '../../src/iterators/index.ts';
import facts from './targets.linux_6_18.json' with { type: 'json' };

type Row = [string, string, string, [string, number, string][], string[] | null, boolean | null];

function regText({ reg, btfType }: IterContextArg): string {
  const has = (flag: string) => reg.flags?.some((each) => each === flag) ?? false;
  const base = reg.base === 'PTR_TO_BUF' ? 'buf' : 'ptr';
  const named = btfType === undefined ? '' : `_${btfType}`;
  return `${has('MEM_RDONLY') ? 'rdonly_' : ''}${has('PTR_TRUSTED') ? 'trusted_' : ''}${base}${has('PTR_MAYBE_NULL') ? '_or_null' : ''}${named}`;
}

/** What BTF alone gives: a trusted pointer or a scalar. */
const PLAIN = /^(trusted_ptr_(?!or_null)|scalar)/;

test.each(facts.rows as Row[])('iter/%s', (name, attachFunction, contextStruct, args, features, attachTarget) => {
  const entry = ITER_TARGETS.get(name)!;
  expect(entry.attachFunction).toBe(attachFunction);
  expect(contextStruct).toBe(`bpf_iter__${name}`);
  const special = args.filter(([, , reg]) => !PLAIN.test(reg));
  expect(entry.contextArgs.map((arg) => [arg.name, arg.off, regText(arg)])).toEqual(special);
  if (features !== null) expect(entry.features).toEqual(features);
  if (attachTarget !== null) expect(entry.attach.kind !== 'none').toBe(attachTarget);
});

test('no target is ours alone', () => {
  expect([...ITER_TARGETS.keys()].sort()).toEqual(facts.rows.map((row) => row[0]).sort());
});
