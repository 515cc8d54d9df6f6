import type { ArgSpec, HelperProto, RetSpec } from '../contracts/helper.ts';
import type { ArgBase, TypeFlag } from '../contracts/type_words.ts';

/** Short forms of argument and result types, so that a prototype reads as one line. */

export const INTEGER: RetSpec = { base: 'RET_INTEGER' };
export const VOID: RetSpec = { base: 'RET_VOID' };
export const MAP_VALUE: RetSpec = { base: 'RET_PTR_TO_MAP_VALUE' };
export const MAP_VALUE_OR_NULL: RetSpec = { base: 'RET_PTR_TO_MAP_VALUE', flags: ['PTR_MAYBE_NULL'] };
export const SOCKET_OR_NULL: RetSpec = { base: 'RET_PTR_TO_SOCKET', flags: ['PTR_MAYBE_NULL'] };
export const SOCK_COMMON_OR_NULL: RetSpec = { base: 'RET_PTR_TO_SOCK_COMMON', flags: ['PTR_MAYBE_NULL'] };
export const TCP_SOCK_OR_NULL: RetSpec = { base: 'RET_PTR_TO_TCP_SOCK', flags: ['PTR_MAYBE_NULL'] };
export const MEMORY_OR_NULL: RetSpec = { base: 'RET_PTR_TO_MEM', flags: ['PTR_MAYBE_NULL'] };

export const arg = (name: string, base: ArgBase, ...flags: TypeFlag[]): ArgSpec =>
  flags.length > 0 ? { name, base, flags } : { name, base };

export const anything = (name: string): ArgSpec => arg(name, 'ARG_ANYTHING');
export const context = (name: string, ...flags: TypeFlag[]): ArgSpec => arg(name, 'ARG_PTR_TO_CTX', ...flags);
export const constMap = (name: string): ArgSpec => arg(name, 'ARG_CONST_MAP_PTR');
export const mapKey = (name: string): ArgSpec => arg(name, 'ARG_PTR_TO_MAP_KEY');
export const mapValue = (name: string, ...flags: TypeFlag[]): ArgSpec => arg(name, 'ARG_PTR_TO_MAP_VALUE', ...flags);
export const size = (name: string): ArgSpec => arg(name, 'ARG_CONST_SIZE');
export const sizeOrZero = (name: string): ArgSpec => arg(name, 'ARG_CONST_SIZE_OR_ZERO');

/** memory whose size the next argument gives */
export const memory = (name: string, ...flags: TypeFlag[]): ArgSpec => arg(name, 'ARG_PTR_TO_MEM', ...flags);
/** memory that is only read */
export const input = (name: string): ArgSpec => memory(name, 'MEM_RDONLY');
/** memory that the helper fills, ARG_PTR_TO_UNINIT_MEM */
export const output = (name: string): ArgSpec => memory(name, 'MEM_UNINIT', 'MEM_WRITE');
/** memory of a constant number of bytes, ARG_PTR_TO_FIXED_SIZE_MEM */
export const fixed = (name: string, bytes: number, ...flags: TypeFlag[]): ArgSpec => ({
  name,
  base: 'ARG_PTR_TO_MEM',
  flags: ['MEM_FIXED_SIZE', ...flags],
  size: bytes,
});
/** kernel object of a struct in the kernel's BTF */
export const object = (name: string, btfType: string, ...flags: TypeFlag[]): ArgSpec => ({
  ...arg(name, 'ARG_PTR_TO_BTF_ID', ...flags),
  btfType,
});

type ProtoOptions = Omit<HelperProto, 'name' | 'args' | 'ret'>;

export const proto = (name: string, args: readonly ArgSpec[], ret: RetSpec, options: ProtoOptions = {}): HelperProto => ({
  name,
  args,
  ret,
  ...options,
});

/** Several prototypes that differ in name only: the kernel has one per kind of context. */
export const protos = (
  names: readonly string[],
  args: readonly ArgSpec[],
  ret: RetSpec,
  options: ProtoOptions = {},
): readonly HelperProto[] => names.map((name) => proto(name, args, ret, options));
