import { describe, expect, it } from 'vitest';
import type { Btf } from '../../src/btf/btf.ts';
import { prototypeFromC } from '../../src/btf/c_parser.ts';
import type { FuncProtoType } from '../../src/btf/types.ts';
import { kfuncs } from '../../src/kfuncs/index.ts';
import { openProfile } from '../../src/profiles/index.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';

const vmlinux = openProfile('linux-6.18', readVmlinuxPart).btf;

/** compilers spell these with `int` */
const SPELLED: Readonly<Record<string, string>> = {
  'long unsigned int': 'unsigned long',
  'long int': 'long',
  'short int': 'short',
};

/** a type as words: pointers and their targets, names of what is named */
function words(btf: Btf, id: number): string {
  if (id === 0) return 'void';
  const type = btf.type(id);
  switch (type.kind) {
    case 'PTR':
      return `${words(btf, type.type)} *`;
    case 'CONST':
      return `const ${words(btf, type.type)}`;
    case 'FUNC_PROTO':
      return 'function';
    case 'FWD':
      return `${type.of} ${type.name}`;
    case 'TYPE_TAG':
      return words(btf, type.type);
    case 'TYPEDEF':
      return btf.type(type.type).kind === 'PTR' ? words(btf, type.type) : type.name;
    case 'INT':
      return SPELLED[type.name] ?? type.name;
    case 'STRUCT':
    case 'UNION':
    case 'ENUM':
      return `${type.kind.toLowerCase()} ${type.name}`;
    default:
      return type.name;
  }
}

/** names and types of the parameters, and the result */
function signature(btf: Btf, proto: FuncProtoType): string[] {
  return [...proto.params.map((param) => `${words(btf, param.type)} ${param.name}`), words(btf, proto.ret)];
}

describe('declarations are those of the kernel', () => {
  it.each([...kfuncs.values()])('$name', (kfunc) => {
    const func = vmlinux.findByName(kfunc.name, 'FUNC')!;
    const ours = prototypeFromC(kfunc.declaration);
    expect(signature(ours.btf, ours.proto)).toEqual(signature(vmlinux, vmlinux.typeOf(func.type, 'FUNC_PROTO')!));
  });
});
