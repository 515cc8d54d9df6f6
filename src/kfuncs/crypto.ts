import type { Kfunc } from '../contracts/kfunc.ts';

/** Ciphers. */
export const cryptoKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_crypto_ctx_create',
    summary: 'Makes a cipher from its name and key.',
    declaration: 'struct bpf_crypto_ctx *bpf_crypto_ctx_create(const struct bpf_crypto_params *params, u32 params__sz, int *err)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_SLEEPABLE'],
    available: [{ types: ['syscall'] }],
  },
  {
    name: 'bpf_crypto_ctx_acquire',
    summary: 'Takes a reference to a cipher.',
    declaration: 'struct bpf_crypto_ctx *bpf_crypto_ctx_acquire(struct bpf_crypto_ctx *ctx)',
    flags: ['KF_ACQUIRE', 'KF_RET_NULL', 'KF_RCU'],
    available: [{ types: ['syscall'] }],
  },
  {
    name: 'bpf_crypto_ctx_release',
    summary: 'Drops a reference to a cipher.',
    declaration: 'void bpf_crypto_ctx_release(struct bpf_crypto_ctx *ctx)',
    flags: ['KF_RELEASE'],
    available: [{ types: ['syscall'] }],
  },
  {
    name: 'bpf_crypto_encrypt',
    summary: 'Encrypts a dynptr into another.',
    declaration:
      'int bpf_crypto_encrypt(struct bpf_crypto_ctx *ctx, const struct bpf_dynptr *src, const struct bpf_dynptr *dst, const struct bpf_dynptr *siv__nullable)',
    flags: ['KF_RCU'],
    available: [{ types: ['sched_cls', 'sched_act', 'xdp'] }],
  },
  {
    name: 'bpf_crypto_decrypt',
    summary: 'Decrypts a dynptr into another.',
    declaration:
      'int bpf_crypto_decrypt(struct bpf_crypto_ctx *ctx, const struct bpf_dynptr *src, const struct bpf_dynptr *dst, const struct bpf_dynptr *siv__nullable)',
    flags: ['KF_RCU'],
    available: [{ types: ['sched_cls', 'sched_act', 'xdp'] }],
  },
];
