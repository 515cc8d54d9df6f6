import { KIND } from '../wire.ts';
import type { CheckEnv } from './env.ts';
import { intParts, type RawType } from './raw.ts';

/** Source: btf_int_encoding_str. */
const encodingWord = (encoding: number): string => {
  switch (encoding) {
    case 0:
      return '(none)';
    case 1:
      return 'SIGNED';
    case 2:
      return 'CHAR';
    case 4:
      return 'BOOL';
    default:
      return 'UNKN';
  }
};

const intDetails = (env: CheckEnv, type: RawType): string => {
  const { bits, offset, encoding } = intParts(env.extra(type, 0));
  return `size=${type.third} bits_offset=${offset} nr_bits=${bits} encoding=${encodingWord(encoding)}`;
};

/** The parameters between parentheses; the kernel prints the first and the last apart from the others. Source: btf_func_proto_log. */
const paramDetails = (env: CheckEnv, type: RawType): string => {
  const count = type.vlen;
  if (count === 0) return 'void';
  const param = (i: number): string => {
    const id = env.extra(type, i * 2 + 1);
    return id === 0 && i === count - 1 ? 'vararg' : `${id} ${env.name(env.extra(type, i * 2))}`;
  };
  return Array.from({ length: count }, (_, i) => param(i)).join(', ');
};

/** What the kernel's log says of a type behind its name, by kind. Source: the log_details operations of kernel/bpf/btf.c. */
export const details = (env: CheckEnv, type: RawType): string => {
  switch (type.kind) {
    case KIND.INT:
      return intDetails(env, type);
    case KIND.ARRAY:
      return `type_id=${env.extra(type, 0)} index_type_id=${env.extra(type, 1)} nr_elems=${env.extra(type, 2)}`;
    case KIND.STRUCT:
    case KIND.UNION:
    case KIND.ENUM:
    case KIND.ENUM64:
    case KIND.DATASEC:
      return `size=${type.third} vlen=${type.vlen}`;
    case KIND.FWD:
      return type.kindFlag ? 'union' : 'struct';
    case KIND.FUNC_PROTO:
      return `return=${type.third} args=(${paramDetails(env, type)})`;
    case KIND.VAR:
      return `type_id=${type.third} linkage=${env.extra(type, 0)}`;
    case KIND.FLOAT:
      return `size=${type.third}`;
    case KIND.DECL_TAG:
      return `type=${type.third} component_idx=${env.extra(type, 0) | 0}`;
    default:
      return `type_id=${type.third}`;
  }
};
