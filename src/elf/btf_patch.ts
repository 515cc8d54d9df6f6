import { Btf } from '../btf/btf.ts';
import { locateSections } from '../btf/wire.ts';

const KIND_VAR = 14;
const KIND_FUNC = 12;
const LINKAGE = { static: 0, global: 1, extern: 2 } as const;
type Linkage = keyof typeof LINKAGE;

/** Byte offsets inside a type: name, info, size or type, then what the kind carries. */
const NAME = 0;
const INFO = 4;
const SIZE = 8;
const EXTRA = 12;

const encoder = new TextEncoder();

/**
 * A private copy of an object's BTF in which the loader fills in what the compiler left open: sizes, offsets, linkage.
 * `btf` shows the types as they were before the first change; `finish` gives the result.
 */
export class BtfPatch {
  readonly btf: Btf;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
    this.btf = Btf.parse(this.#bytes);
  }

  #word(id: number, offset: number): { view: DataView; at: number } {
    const { view, at } = this.btf.source.locate(id - this.btf.startId);
    return { view, at: at + offset };
  }

  #get(id: number, offset: number): number {
    const { view, at } = this.#word(id, offset);
    return view.getUint32(at, true);
  }

  #set(id: number, offset: number, value: number): void {
    const { view, at } = this.#word(id, offset);
    view.setUint32(at, value >>> 0, true);
  }

  /** String offset of a type's name. */
  nameOffset(id: number): number {
    return this.#get(id, NAME);
  }

  setSize(id: number, size: number): void {
    this.#set(id, SIZE, size);
  }

  setType(id: number, type: number): void {
    this.#set(id, SIZE, type);
  }

  setVarLinkage(id: number, linkage: Linkage): void {
    this.#set(id, EXTRA, LINKAGE[linkage]);
  }

  setFuncLinkage(id: number, linkage: Linkage): void {
    this.#set(id, INFO, ((KIND_FUNC << 24) | LINKAGE[linkage]) >>> 0);
  }

  setParamName(proto: number, param: number, nameOffset: number): void {
    this.#set(proto, EXTRA + param * 8, nameOffset);
  }

  setSecVars(datasec: number, vars: readonly { readonly type: number; readonly offset: number; readonly size: number }[]): void {
    vars.forEach((v, i) => {
      this.#set(datasec, EXTRA + i * 12, v.type);
      this.#set(datasec, EXTRA + i * 12 + 4, v.offset);
      this.#set(datasec, EXTRA + i * 12 + 8, v.size);
    });
  }

  finish(): Uint8Array {
    return this.#bytes;
  }
}

/** The blob with one more global VAR at the end of its types, named by a new string at the end of its strings. */
export function appendVar(bytes: Uint8Array, name: string, type: number): Uint8Array {
  const { types, typeLen, strings, strLen } = locateSections(bytes);
  const text = encoder.encode(`${name}\0`);
  const header = types - new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  const out = new Uint8Array(header + typeLen + 16 + strLen + text.length);
  out.set(bytes.subarray(0, header));
  out.set(bytes.subarray(types, types + typeLen), header);
  out.set(bytes.subarray(strings, strings + strLen), header + typeLen + 16);
  out.set(text, header + typeLen + 16 + strLen);
  const view = new DataView(out.buffer);
  view.setUint32(8, 0, true);
  view.setUint32(12, typeLen + 16, true);
  view.setUint32(16, typeLen + 16, true);
  view.setUint32(20, strLen + text.length, true);
  const at = header + typeLen;
  view.setUint32(at + NAME, strLen, true);
  view.setUint32(at + INFO, (KIND_VAR << 24) >>> 0, true);
  view.setUint32(at + SIZE, type, true);
  view.setUint32(at + EXTRA, LINKAGE.global, true);
  return out;
}
