import { describe, expect, it } from 'vitest';
import { runKernelText } from '../../kernel/program.ts';

const EBUSY = -16n;
const EINVAL = -22n;
const USER_START = 0x7000_0000_0000n;
const PAGE = 4096n;

const PROGRAM = `
.map arena arena max_entries=4 flags=BPF_F_MMAPABLE
.section "syscall"
.program "int p(void *ctx)"
`;

const allocate = (address: bigint, count: number, flags = 0): string =>
  `r1 = arena ll; r2 = ${address} ll; r3 = ${count}; r4 = -1; r5 = ${flags}; call bpf_arena_alloc_pages`;
const free = (address: bigint, count: number): string =>
  `r1 = arena ll; r2 = ${address} ll; r3 = ${count}; call bpf_arena_free_pages`;
const reserve = (address: bigint, count: number): string =>
  `r1 = arena ll; r2 = ${address} ll; r3 = ${count}; call bpf_arena_reserve_pages`;
/** Pages beyond the start of user space's view. */
const at = (page: bigint): bigint => USER_START + page * PAGE;

const resultOf = (...steps: string[]): bigint => {
  const { signed } = runKernelText(`${PROGRAM}${steps.join('\n')}\nr6 = r0\nr0 = r6\nexit`);
  return signed;
};

describe('pages of an arena', () => {
  it.each<[rule: string, steps: string[], result: bigint]>([
    ['come from the start', [allocate(0n, 1)], at(0n)],
    ['come one after the other', [allocate(0n, 2), allocate(0n, 1)], at(2n)],
    ['come where they are asked for', [allocate(at(3n), 1)], at(3n)],
    ['come once', [allocate(at(3n), 1), allocate(at(3n), 1)], 0n],
    ['do not come beyond the end', [allocate(at(3n), 2)], 0n],
    ['do not come in such numbers', [allocate(0n, 5)], 0n],
    ['come in some number', [allocate(0n, 0)], 0n],
    ['come at whole addresses', [allocate(at(1n) + 8n, 1)], 0n],
    ['come without flags', [allocate(0n, 1, 1)], 0n],
    ['come again when they are freed', [allocate(0n, 4), free(at(1n), 2), allocate(0n, 2)], at(1n)],
    ['are freed by any address in them', [allocate(0n, 4), free(at(1n) + 8n, 1), allocate(0n, 1)], at(1n)],
    ['are kept when they are reserved', [reserve(at(0n), 1), allocate(0n, 1)], at(1n)],
    ['are reserved once', [reserve(at(0n), 1), reserve(at(0n), 1)], EBUSY],
    ['are not reserved when they are there', [allocate(0n, 1), reserve(at(0n), 2)], EBUSY],
    ['are not reserved beyond the end', [reserve(at(3n), 2)], EINVAL],
    ['no page is reserved for a broken address', [reserve(at(0n) + 1n, 1), allocate(0n, 1)], at(0n)],
  ])('%s', (_rule, steps, result) => {
    expect(resultOf(...steps)).toBe(result);
  });

  /** The kernel's view of the page in r0, in r6. */
  const cast = 'r6 = addr_space_cast(r0, 0, 1)';

  it.each([
    ['hold what is written', `${allocate(0n, 1)}\n${cast}\n*(u64 *)(r6 + 8) = 5\nr0 = *(u64 *)(r6 + 8)`, 5n],
    ['are zero where nothing is', `${allocate(0n, 1)}\n${cast}\n*(u64 *)(r6 + 4096) = 5\nr0 = *(u64 *)(r6 + 4096)`, 0n],
    ['are zero before the start', `${allocate(0n, 1)}\n${cast}\n*(u64 *)(r6 - 8) = 5\nr0 = *(u64 *)(r6 - 8)`, 0n],
    [
      'are changed atomically',
      `${allocate(0n, 1)}\n${cast}\nr1 = 5\nlock *(u64 *)(r6 + 0) += r1\nr1 = 2\nr1 = atomic_fetch_add((u64 *)(r6 + 0), r1)\nr0 = r1`,
      5n,
    ],
    [
      'leave the registers alone where nothing is',
      `${allocate(0n, 1)}\n${cast}\nr1 = 7\nr1 = atomic_fetch_add((u64 *)(r6 + 4096), r1)\nr0 = r1`,
      7n,
    ],
  ])('%s', (_rule, text, result) => {
    expect(runKernelText(`${PROGRAM}${text}\nexit`).signed).toBe(result);
  });
});
