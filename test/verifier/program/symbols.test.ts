import { describeRules, profile } from '../rules.ts';

const address = (kind: 'FUNC' | 'VAR', name: string): string =>
  `ld_pseudo r1, 3, ${profile.btf.findByName(name, kind)!.id}\nr0 = 0\nexit`;

/** Source: __check_pseudo_btf_id, kernel/bpf/verifier.c. */
describeRules('addresses of the kernel by type id', [
  ['a function', address('FUNC', 'schedule'), 'accept'],
  [
    'a function that the compiler has inlined',
    address('FUNC', 'ZSTD_BtFindBestMatch_noDict_4'),
    "ldimm64 failed to find the address for kernel symbol 'ZSTD_BtFindBestMatch_noDict_4'.",
  ],
  ['a type that is no symbol', 'ld_pseudo r1, 3, 1\nr0 = 0\nexit', "pseudo btf_id 1 in ldimm64 isn't KIND_VAR or KIND_FUNC"],
  ['a type that does not exist', 'ld_pseudo r1, 3, 99999999\nr0 = 0\nexit', 'ldimm64 insn specifies invalid btf_id 99999999.'],
]);

/** Source: add_kfunc_call, kernel/bpf/verifier.c. */
describeRules('functions of the kernel that are called', [
  ['one that no kfunc set names', 'call schedule\nexit', 'calling kernel function schedule is not allowed'],
  [
    'one that the compiler has inlined',
    'call ZSTD_BtFindBestMatch_noDict_4\nexit',
    'cannot find address for kernel function ZSTD_BtFindBestMatch_noDict_4',
  ],
]);
