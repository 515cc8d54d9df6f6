/**
 * Packs a kernel's BTF for a profile:
 *
 *     npx tsx tools/pack_btf.ts [VMLINUX [DIRECTORY]]
 *
 * Reads /sys/kernel/btf/vmlinux unless another file is named and writes index.bin, types.bin and strings.bin.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { packBtf } from '../src/btf/pack.ts';
import { PACKED_PARTS } from '../src/btf/packed_source.ts';
import { FlatSource } from '../src/btf/source.ts';

const [input = '/sys/kernel/btf/vmlinux', output = join(import.meta.dirname, '../src/profiles/linux_6_18/btf')] =
  process.argv.slice(2);
const source = new FlatSource(readFileSync(input));
const parts = packBtf(source, (bytes) => deflateRawSync(bytes, { level: 9 }));
mkdirSync(output, { recursive: true });
for (const part of PACKED_PARTS) {
  writeFileSync(join(output, `${part}.bin`), parts[part]);
  console.log(`${part}.bin: ${parts[part].length} bytes`);
}
console.log(`${source.count} types`);
