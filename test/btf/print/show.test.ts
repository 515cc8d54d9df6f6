import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { BtfKind } from '../../../src/btf/types.ts';
import { GOLDEN, type ShownRow, showBytes } from '../../../tools/vm_show/record.ts';
import { profile } from '../../samples.ts';

const { rows } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { readonly rows: readonly ShownRow[] };

test.each(rows)('$kind $name with flags $flags reads as Linux shows it', ({ kind, name, flags, object, text }) => {
  const type = profile.btf.findByName(name, kind as BtfKind)!;
  expect(showBytes(profile.btf, type.id, object, flags).text).toBe(text);
});
