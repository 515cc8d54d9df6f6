import type { Btf } from '../btf/btf.ts';
import { BTF_INT_BOOL, BTF_INT_SIGNED } from '../btf/types.ts';

/** How an extern configuration value may be declared. Source: find_kcfg_type, tools/lib/bpf/libbpf.c. */
export interface KconfigKind {
  readonly word: 'unknown' | 'char' | 'bool' | 'int' | 'tristate' | 'char-array';
  readonly signed: boolean;
}

/** Values of `enum libbpf_tristate`. */
const TRISTATE: Readonly<Record<string, bigint>> = { n: 0n, y: 1n, m: 2n };

export function kconfigKind(btf: Btf, id: number): KconfigKind {
  const type = btf.skipModifiers(id);
  const unsigned = (word: KconfigKind['word']): KconfigKind => ({ word, signed: false });
  switch (type.kind) {
    case 'INT': {
      if ((type.encoding & BTF_INT_BOOL) !== 0) return unsigned(type.size === 1 ? 'bool' : 'unknown');
      const signed = (type.encoding & BTF_INT_SIGNED) !== 0;
      if (type.size === 1) return { word: 'char', signed };
      return [2, 4, 8].includes(type.size) ? { word: 'int', signed } : unsigned('unknown');
    }
    case 'ENUM':
      return unsigned(type.size === 4 && type.name === 'libbpf_tristate' ? 'tristate' : 'unknown');
    case 'ENUM64':
      return unsigned(type.name === 'libbpf_tristate' ? 'tristate' : 'unknown');
    case 'ARRAY': {
      const elem = btf.skipModifiers(type.elem);
      const isChar = elem.kind === 'INT' && elem.size === 1 && (elem.encoding & BTF_INT_BOOL) === 0;
      return unsigned(type.nelems > 0 && isChar ? 'char-array' : 'unknown');
    }
    default:
      return unsigned('unknown');
  }
}

export interface KconfigTarget {
  readonly name: string;
  readonly value: KconfigKind;
  readonly size: number;
}

type Encoded = { readonly bytes: Uint8Array } | { readonly error: string };

const encoder = new TextEncoder();

function littleEndian(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(64, value);
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The bytes of a number in an extern of this kind. Source: set_kcfg_value_num and is_kcfg_value_in_range. */
export function encodeNumber({ name, value, size }: KconfigTarget, number: bigint): Encoded {
  const v = BigInt.asUintN(64, number);
  if (value.word !== 'int' && value.word !== 'char' && value.word !== 'bool')
    return { error: `extern (kcfg) '${name}': value '${v}' implies integer, char, or boolean type` };
  if (value.word === 'bool' && v > 1n) return { error: `extern (kcfg) '${name}': value '${v}' isn't boolean compatible` };
  if (size < 8) {
    const bits = BigInt(size * 8);
    const fits = value.signed ? BigInt.asUintN(64, v + (1n << (bits - 1n))) < 1n << bits : v >> bits === 0n;
    if (!fits) return { error: `extern (kcfg) '${name}': value '${v}' doesn't fit in ${size} bytes` };
  }
  return { bytes: littleEndian(v, size) };
}

/**
 * The bytes of one setting of the kernel's configuration, written as in its `.config`: `y`, `m`, `n`, a number or a quoted text.
 * Source: bpf_object__process_kconfig_line.
 */
export function encodeSetting(target: KconfigTarget, setting: string): Encoded {
  const { name, value, size } = target;
  const first = setting[0] ?? '';
  if (first === 'y' || first === 'n' || first === 'm') {
    switch (value.word) {
      case 'bool':
        if (first === 'm') return { error: `extern (kcfg) '${name}': value 'm' implies tristate or char type` };
        return { bytes: littleEndian(first === 'y' ? 1n : 0n, 1) };
      case 'tristate':
        return { bytes: littleEndian(TRISTATE[first]!, size) };
      case 'char':
        return { bytes: littleEndian(BigInt(first.charCodeAt(0)), 1) };
      case 'int':
      case 'char-array':
      case 'unknown':
        return { error: `extern (kcfg) '${name}': value '${first}' implies bool, tristate, or char type` };
      default: {
        const never: never = value.word;
        return never;
      }
    }
  }
  if (first === '"') {
    if (value.word !== 'char-array') return { error: `extern (kcfg) '${name}': value '${setting}' implies char array type` };
    if (setting.length < 2 || !setting.endsWith('"'))
      return { error: `extern (kcfg) '${name}': invalid string config '${setting}'` };
    return { bytes: encoder.encode(setting.slice(1, -1)).slice(0, size - 1) };
  }
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(setting))
    return { error: `extern (kcfg) '${name}': value '${setting}' isn't a valid integer` };
  if (value.word !== 'int' && value.word !== 'char')
    return { error: `extern (kcfg) '${name}': value '${setting}' implies integer type` };
  const negative = setting.startsWith('-');
  const digits = setting.replace(/^[+-]/, '');
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  return encodeNumber(target, negative ? -BigInt(octal) : BigInt(octal));
}
