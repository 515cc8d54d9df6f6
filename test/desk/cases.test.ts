import { describe, expect, it } from 'vitest';
import type { SampleSource } from '../../src/desk/sample.ts';
import { sampleImage } from '../../src/desk/sample.ts';
import { resultText, selftest } from '../../src/desk/selftest.ts';
import { profileWith } from '../kernel/program.ts';

const WORLDS: Readonly<Record<string, string>> = {
  'one.yaml': 'user_ringbufs: { ring: { samples: [{ hex: "2a000000 00000000" }] } }',
  'broken.yaml': 'tasks: [{ pid: 0 }]',
};

/** Drains, prints and answers 1; an empty ring gives 0. */
const program = (lines: string): string => `
  .license "GPL"
  .rodata "const char line[4]" = "hi\\n"
  .map ring user_ringbuf max_entries=4096
  .section "raw_tp/sys_enter"
  .program "int p(void *ctx)"
  ${lines}
  r1 = ring ll; r2 = take ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain
  exit
  .func "static long take(struct bpf_dynptr *sample, void *ctx)"
  r1 = line ll; w2 = 4; call bpf_trace_printk
  r0 = 0; exit`;

/** The lines of a self-test's results. */
function results(text: string): string[] {
  const source: SampleSource = {
    name: 'p.bpf.s',
    text,
    readBeside: (path) => ({ name: path, text: WORLDS[path]! }),
  };
  const profile = profileWith();
  return [...selftest(sampleImage(source, profile), profile, undefined, { source })].map(resultText);
}

const inWorld = (lines: string): string[] => results(program(`.expect case "c"\n.expect world one.yaml\n${lines}`));

describe('a case', () => {
  it('passes where everything is as it says', () => {
    expect(inWorld('.expect return 1\n.expect printk "hi"\n.expect consumer ring 16\n.expect wakeups ring 1')).toEqual([
      'pass p.bpf.s/p (c)',
    ]);
  });

  it('is tried under every revision', () => {
    expect(inWorld('.expect with base "user_ringbuf_drain=v3"\n.expect return 1')).toEqual([
      'pass p.bpf.s/p (c)',
      'pass p.bpf.s/p (c with user_ringbuf_drain=v3)',
    ]);
  });

  it.each([
    ['.expect verdict reject', 'reject was expected, but the verdict is accept'],
    ['.expect return -EINVAL', '-22 was to be returned, not 1'],
    ['.expect printk "no"', '["no"] was to be printed, not ["hi"]'],
    ['.expect consumer ring 8', 'consumer of ring was to be 8, not 16'],
    ['.expect wakeups other 1', 'wakeups of other was to be 1, not unknown: there is no such ring'],
    ['.expect fault "out-of-bounds"', 'a fault was expected, out-of-bounds, not none'],
    ['.expect attach EBADF', 'attach: EBADF was expected, not success'],
    ['.expect output "x"', '"x" was to be read, not none'],
    ['.expect link "x"', 'the link was to say "x", not []'],
    ['.expect unsound "x"', 'the verdict was to say that it is unsound: x'],
    ['.expect message "xyzzy"', 'the log has no message "xyzzy"'],
    ['.expect with "user_ringbuf_drain=v9"\n.expect return 1', "user_ringbuf_drain has no revision 'v9': v3, 6.1"],
  ])('%s fails where it is not so', (lines, reason) => {
    const [result] = inWorld(lines);
    expect(result).toMatch(/^fail /);
    expect(result).toContain(reason);
  });

  it('fails where the program is refused and was to run', () => {
    const text = program('.expect case "c"\n.expect return 0').replace('r1 = ring ll', 'r1 = *(u64 *)(r9 + 0); r1 = ring ll');
    expect(results(text)[0]).toBe('fail p.bpf.s/p (c): a run was expected, but the verdict is reject');
  });

  it('fails with one line where its world is broken', () => {
    const [result] = results(program('.expect case "c"\n.expect world broken.yaml\n.expect return 0'));
    expect(result).toMatch(/^fail p\.bpf\.s\/p \(c\): /);
    expect(result).not.toContain('bug');
  });

  it('is passed over where its file cannot be asked', () => {
    const profile = profileWith();
    const image = sampleImage(
      { name: 'p.bpf.s', text: program('.expect case "c"\n.expect return 0'), readBeside: () => ({ name: '', text: '' }) },
      profile,
    );
    expect([...selftest(image, profile)].map(resultText)).toEqual(['skip p.bpf.s/p (c): its world cannot be read here']);
  });
});
