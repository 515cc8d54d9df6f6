import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { disassemble } from '../../src/asm/disassemble.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import { profileWith } from '../kernel/program.ts';

const profile = profileWith();

const program = (lines: string): string => `
  .section "raw_tp/sys_enter"
  .program p
  .expect verdict accept
  ${lines}
  r0 = 0
  exit`;
const read = (lines: string) => assemble(program(lines), 'p.bpf.s', { profile });
const problem = (lines: string): string => {
  try {
    read(lines);
    return 'none';
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return error.message;
  }
};

const FULL = `
  .expect case "first"
  .expect world a.yaml
  .expect over "io_uring=100/3" "order=self_only"
  .expect through 100/4
  .expect close_link
  .expect read_size 65536 1
  .expect verdict accept
  .expect output "a\\n"
  .expect output "b"
  .expect with "x=v1,y=v2" base
  .expect verdict reject
  .expect errno EINVAL
  .expect message "one"
  .expect message "two"
  .expect unsound "why"
  .expect attach EBADF
  .expect return -EBUSY
  .expect printk "line"
  .expect read_error EDEADLK
  .expect fault "use-after-free"
  .expect wakeups ring 2
  .expect consumer ring 48
  .expect link "map_id: 1"
  .expect case "second"
  .expect return 0x10`;

describe('cases of a text program', () => {
  it('say in what a program runs, and what becomes of it under which revisions', () => {
    const image = read(FULL);
    expect(image.expectations.get('p')?.verdict).toBe('accept');
    const [first, second] = image.cases!.get('p')!;
    expect(first).toMatchObject({
      name: 'first',
      situation: {
        world: 'a.yaml',
        over: ['io_uring=100/3', 'order=self_only'],
        through: '100/4',
        closesLink: true,
        readSizes: [65536, 1],
      },
    });
    expect(first!.runs.map(({ revisions }) => revisions)).toEqual([[''], ['x=v1,y=v2', '']]);
    expect(first!.runs[0]).toMatchObject({ verdict: 'accept', output: 'a\nb', returns: null });
    expect(first!.runs[1]).toMatchObject({
      errno: 'EINVAL',
      messages: ['one', 'two'],
      attach: 'EBADF',
      returns: -16n,
      printk: ['line'],
      readError: 'EDEADLK',
      rings: [
        { map: 'ring', number: 'wakeups', value: 2 },
        { map: 'ring', number: 'consumer', value: 48 },
      ],
    });
    expect(second).toMatchObject({ name: 'second', situation: { world: null }, runs: [{ returns: 16n }] });
  });

  it('expect nothing of the kernel as it is where all that is said stands behind a with', () => {
    const [only] = read('.expect case "c"\n.expect with "a=v1"\n.expect return 1').cases!.get('p')!;
    expect(only!.runs).toHaveLength(1);
  });

  it('come back from a disassembly', () => {
    const image = read(FULL);
    const again = assemble(disassemble(image, { profile }), 'p.bpf.s', { profile });
    expect(again.cases).toEqual(image.cases);
  });

  it.each([
    ['.expect case', /\.expect case takes a name/],
    ['.expect case "c"\n.expect world', /\.expect world takes a value/],
    ['.expect case "c"\n.expect read_size 0', /a read takes at least 1 byte/],
    ['.expect case "c"\n.expect verdict maybe', /no verdict 'maybe'/],
    ['.expect case "c"\n.expect read_error EWRONG', /no error number 'EWRONG'/],
    ['.expect case "c"\n.expect return many', /'many' is neither a number nor the name of an error/],
    ['.expect case "c"\n.expect wakeups ring', /takes the name of a map and a number/],
    ['.expect case "c"\n.expect caps CAP_BPF', /no key 'caps' in a case/],
    ['.expect case "c"\n.expect output "a" "b"', /takes one value/],
  ])('%s is refused', (lines, message) => {
    expect(problem(lines)).toMatch(message);
  });
});
