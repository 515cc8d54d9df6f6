import { BtfError } from './error.ts';
import { BTF_KINDS, BTF_LINKAGES, type BtfLinkage, type BtfType, type Member, type Param, type SecVar } from './types.ts';
import { infoKind, infoKindFlag, infoVlen } from './wire.ts';

/** The 64-bit enum value of two words, signed or not. */
const enum64 = (lo: number, hi: number, signed: boolean): bigint => {
  const value = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  return signed ? BigInt.asIntN(64, value) : value;
};

/**
 * The type that begins at `at`, whose bytes are known to lie inside `view`. `text` resolves a string offset and throws where
 * there is no string.
 */
export const decodeType = (view: DataView, at: number, id: number, text: (offset: number) => string): BtfType => {
  const word = (offset: number): number => view.getUint32(at + offset, true);
  const name = text(word(0));
  const info = word(4);
  const third = word(8);
  const vlen = infoVlen(info);
  const kindFlag = infoKindFlag(info);
  const kind = BTF_KINDS[infoKind(info)];

  const linkage = (value: number): BtfLinkage => {
    const found = BTF_LINKAGES[value];
    if (found === undefined)
      throw new BtfError(kind === 'FUNC' ? 'Invalid func linkage' : 'Linkage not supported', { typeId: id, offset: at });
    return found;
  };

  switch (kind) {
    case 'INT': {
      const data = word(12);
      return { kind, id, name, size: third, bits: data & 0xff, offset: (data >>> 16) & 0xff, encoding: (data >>> 24) & 0x0f };
    }
    case 'ARRAY':
      return { kind, id, name, elem: word(12), index: word(16), nelems: word(20) };
    case 'STRUCT':
    case 'UNION': {
      const members: Member[] = [];
      for (let i = 0; i < vlen; i++) {
        const packed = word(12 + i * 12 + 8);
        members.push({
          name: text(word(12 + i * 12)),
          type: word(12 + i * 12 + 4),
          bitOffset: kindFlag ? packed & 0xffffff : packed,
          bitfieldSize: kindFlag ? packed >>> 24 : 0,
        });
      }
      return { kind, id, name, size: third, members, kindFlag };
    }
    case 'ENUM': {
      const values: { name: string; value: number }[] = [];
      for (let i = 0; i < vlen; i++) {
        const value = word(12 + i * 8 + 4);
        values.push({ name: text(word(12 + i * 8)), value: kindFlag ? value | 0 : value });
      }
      return { kind, id, name, size: third, signed: kindFlag, values };
    }
    case 'ENUM64': {
      const values: { name: string; value: bigint }[] = [];
      for (let i = 0; i < vlen; i++) {
        values.push({ name: text(word(12 + i * 12)), value: enum64(word(16 + i * 12), word(20 + i * 12), kindFlag) });
      }
      return { kind, id, name, size: third, signed: kindFlag, values };
    }
    case 'FWD':
      return { kind, id, name, of: kindFlag ? 'union' : 'struct' };
    case 'PTR':
    case 'TYPEDEF':
    case 'VOLATILE':
    case 'CONST':
    case 'RESTRICT':
      return { kind, id, name, type: third };
    case 'TYPE_TAG':
      return { kind, id, name, type: third, kindFlag };
    case 'FUNC':
      return { kind, id, name, type: third, linkage: linkage(vlen) };
    case 'FUNC_PROTO': {
      const params: Param[] = [];
      for (let i = 0; i < vlen; i++) params.push({ name: text(word(12 + i * 8)), type: word(16 + i * 8) });
      return { kind, id, name, ret: third, params };
    }
    case 'VAR':
      return { kind, id, name, type: third, linkage: linkage(word(12)) };
    case 'DATASEC': {
      const vars: SecVar[] = [];
      for (let i = 0; i < vlen; i++) vars.push({ type: word(12 + i * 12), offset: word(16 + i * 12), size: word(20 + i * 12) });
      return { kind, id, name, size: third, vars };
    }
    case 'FLOAT':
      return { kind, id, name, size: third };
    case 'DECL_TAG':
      return { kind, id, name, type: third, componentIdx: view.getInt32(at + 12, true), kindFlag };
    case 'VOID':
    case undefined:
      throw new BtfError(`Invalid kind:${infoKind(info)}`, { typeId: id, offset: at });
    default: {
      const never: never = kind;
      return never;
    }
  }
};
