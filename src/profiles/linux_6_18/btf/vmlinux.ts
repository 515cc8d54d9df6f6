import { Btf } from '../../../btf/btf.ts';
import { type Inflate, PackedSource, type PartReader } from '../../../btf/packed_source.ts';

/**
 * The kernel's own BTF, x86-64. `read` gives the bytes of `index.bin`, `types.bin` and `strings.bin` beside this file; the last
 * two are only asked for when the first type is. The parts are written by tools/pack_btf.ts.
 */
export const openVmlinux = (read: PartReader, inflate: Inflate): Btf => new Btf(new PackedSource(read, inflate));
