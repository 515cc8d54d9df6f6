import { describe, expect, it } from 'vitest';
import { TestHost } from '../../helpers/host.ts';
import { runKernelText } from '../../kernel/program.ts';

const ENOENT = -2n;
const E2BIG = -7n;
const EFAULT = -14n;
const ERANGE = -34n;
const LONG = 'x'.repeat(70_000);

type Arg = string | number | bigint;
const char = (text: string): number => text.charCodeAt(0);

/** Strings become addresses in guest memory. */
const ask = (name: string, args: readonly Arg[]): bigint => {
  const host = new TestHost();
  return host.runKfunc(
    `bpf_${name}`,
    args.map((arg) => (typeof arg === 'string' ? host.place(arg) : arg)),
  );
};

describe('kfuncs for strings', () => {
  it.each<[name: string, args: readonly Arg[], result: bigint]>([
    ['strcmp', ['same', 'same'], 0n],
    ['strcmp', ['a', 'b'], -1n],
    ['strcmp', ['b', 'a'], 1n],
    ['strcmp', ['ab', 'a'], 1n],
    ['strcmp', ['a\xe4', 'az'], -1n],
    ['strcmp', ['a', 'A'], 1n],
    ['strcmp', [LONG, LONG], E2BIG],
    ['strcasecmp', ['Linux', 'lINUX'], 0n],
    ['strcasecmp', ['\xc4', '\xe4'], 0n],
    ['strcasecmp', ['\xd7', '\xf7'], -1n],
    ['strcasecmp', ['a', 'B'], -1n],
    ['strchr', ['hello', char('l')], 2n],
    ['strchr', ['hello', 0], 5n],
    ['strchr', ['hello', char('z')], ENOENT],
    ['strchr', ['hell\xf6', 0xf6], 4n],
    ['strchr', [LONG, char('y')], E2BIG],
    ['strchrnul', ['hello', char('l')], 2n],
    ['strchrnul', ['hello', char('z')], 5n],
    ['strchrnul', [LONG, char('y')], E2BIG],
    ['strnchr', ['hello', 3, char('l')], 2n],
    ['strnchr', ['hello', 2, char('l')], ENOENT],
    ['strnchr', ['hello', 6, 0], 5n],
    ['strnchr', ['hello', 99, char('z')], ENOENT],
    ['strnchr', [LONG, 65_535, char('y')], ENOENT],
    ['strnchr', [LONG, 65_536, char('y')], E2BIG],
    ['strrchr', ['hello', char('l')], 3n],
    ['strrchr', ['hello', 0], 5n],
    ['strrchr', ['hello', char('z')], ENOENT],
    ['strrchr', ['hell\xf6', 0xf6], ENOENT],
    ['strrchr', ['hell\xf6', -10], 4n],
    ['strrchr', [LONG, char('x')], E2BIG],
    ['strlen', ['hello'], 5n],
    ['strlen', [''], 0n],
    ['strlen', [LONG], E2BIG],
    ['strnlen', ['hello', 3], 3n],
    ['strnlen', ['hello', 9], 5n],
    ['strnlen', ['hello', 0], 0n],
    ['strnlen', [LONG, 65_535], 65_535n],
    ['strnlen', [LONG, 65_536], E2BIG],
    ['strnlen', [LONG, 2n ** 63n], E2BIG],
    ['strspn', ['aabbc', 'ab'], 4n],
    ['strspn', ['aabb', 'ab'], 4n],
    ['strspn', ['aabb', ''], 0n],
    ['strspn', ['y', LONG], E2BIG],
    ['strcspn', ['aabbc', 'bc'], 2n],
    ['strcspn', ['aabb', 'c'], 4n],
    ['strcspn', ['aabb', ''], 4n],
    ['strcspn', ['y', LONG], E2BIG],
    ['strstr', ['hello world', 'wor'], 6n],
    ['strstr', ['hello', ''], 0n],
    ['strstr', ['', ''], 0n],
    ['strstr', ['hello', 'hello!'], ENOENT],
    ['strstr', ['aab', 'ab'], 1n],
    ['strstr', [LONG, 'y'], E2BIG],
    ['strnstr', [LONG, 'y', 65_535], ENOENT],
    ['strnstr', ['hello', 'lo', 5], 3n],
    ['strnstr', ['hello', 'lo', 4], ENOENT],
    ['strnstr', ['hello', 'he', 2], 0n],
    ['strnstr', ['hello', '', 0], 0n],
    ['strnstr', ['hello', 'h', 0], ENOENT],
    ['strlen', [0x1000], ERANGE],
    ['strlen', [0xffffffffff600000n], ERANGE],
    ['strlen', [0xffff888000000008n], EFAULT],
    ['strcmp', ['a', 0x1000], ERANGE],
    ['strcmp', ['a', 0xffff888000000008n], EFAULT],
    ['strstr', ['abc', 0xffff888000000008n], EFAULT],
  ])('%s, case %#', (name, args, result) => {
    expect(ask(name, args), args.map((arg) => String(arg).slice(0, 20)).join()).toBe(result);
  });

  it('runs from a program', () => {
    const { signed } = runKernelText(`
      .section "tc"
      .program p
      r1 = 0x6f6c6c6568 ll; *(u64 *)(r10 - 8) = r1
      r1 = 0x6c6c ll; *(u64 *)(r10 - 16) = r1
      r1 = r10; r1 += -8; r2 = r10; r2 += -16; call bpf_strstr
      exit`);
    expect(signed).toBe(2n);
  });
});
