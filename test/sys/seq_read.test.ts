import { describe, expect, it } from 'vitest';
import { iterCreate, iterOf, linkCreate, linkUpdate } from '../../src/sys/iter_link.ts';
import { type Bench, bench, iterator, load, output, PRINT, printf, readAll, text } from './iterate.ts';

const [EAGAIN, E2BIG] = [-11, -7];

/** Threads 1 to n beside the reader, which is 100. */
function tasks(on: Bench, count: number): void {
  for (let pid = 1; pid <= count; pid++) on.system.kernel.tasks.add({ pid, cgroup: on.system.kernel.cgroups.root });
}

/** Prints session-free lines `SEQ:PID;`, and `SEQ:end;` for the end; the reader itself is left out. */
const NUMBERED = `
  .license "GPL"
  ${PRINT('object', '%d:%d;')}
  ${PRINT('last', '%d:end;')}
  .section "iter/task"
  .program numbered
  r6 = r1
  r1 = *(u64 *)(r6 + 0)
  r1 = *(u64 *)(r1 + 16)
  *(u64 *)(r10 - 24) = r1
  r7 = *(u64 *)(r6 + 8)
  if r7 == 0 goto end
  r1 = *(s32 *)(r7 + PID)
  if r1 == 100 goto out
  *(u64 *)(r10 - 16) = r1
  ${printf('object', 7, 2)}
  goto out
  end: ${printf('last', 8, 1)}
  out: r0 = 0
  exit`;

const withPid = (on: Bench, source: string): string =>
  source.replaceAll('PID)', `${on.system.kernel.objects.field('task_struct', 'pid').place.offset})`);

describe('a read', () => {
  const three = () => {
    const on = bench();
    tasks(on, 3);
    return { on, fd: iterator(on, withPid(on, NUMBERED)) };
  };

  it('I.2 #1: shows all objects and the end, and then nothing', () => {
    const { on, fd } = three();
    expect(readAll(on, fd)).toEqual(['0:1;1:2;2:3;3:end;']);
    expect(text(on.process.read(fd, 4096))).toBe('');
    expect(text(on.process.read(fd, 4096))).toBe('');
  });

  it.each([1, 3, 5, 17])('of %i bytes gives the same', (size) => {
    const { on, fd } = three();
    const pieces = readAll(on, fd, size);
    expect(pieces.join('')).toBe('0:1;1:2;2:3;3:end;');
    expect(pieces.every((piece) => String(piece).length <= size)).toBe(true);
  });

  it('I.2 #2: of 1 byte runs the program no further than it must', () => {
    const { on, fd } = three();
    expect(text(on.process.read(fd, 1))).toBe('0');
    const { seq } = iterOf(on.process, fd)!;
    // one object is shown, the next is looked for: it comes again with the same number
    expect([seq.count, seq.from]).toEqual([3, 1]);
    expect(on.system.report.notes).toEqual([]);
    expect(output(on, fd, 1)).toBe(':1;1:2;2:3;3:end;');
  });

  it('I.2 #3: over nothing shows the end with number 0', () => {
    const on = bench();
    const source = NUMBERED.replace('iter/task', 'iter/bpf_link').replace('*(s32 *)(r7 + PID)', '*(u32 *)(r7 + 0)');
    const fd = load(on, source);
    const link = linkCreate(on.process, fd);
    const iter = iterCreate(on.process, link);
    on.process.close(link);
    expect(readAll(on, iter)).toEqual(['0:end;']);
  });
});

/** Writes as many bytes for each of pids 1 and 2 as a map says; answers 1 once for the pid in `again`. */
const SIZED = `
  .license "GPL"
  .data "unsigned int sizes[4]"
  .data "unsigned int again"
  .data "unsigned long long shown[4]"
  .data "unsigned long long numbers[4]"
  .map bytes array key_size=4 value_size=32768 max_entries=1
  .section "iter/task"
  .program sized
  r6 = r1
  r7 = *(u64 *)(r6 + 8)
  if r7 == 0 goto out
  r8 = *(u32 *)(r7 + PID)
  if r8 > 3 goto out
  r9 = r8
  r9 <<= 3
  r1 = shown ll; r1 += r9; r2 = *(u64 *)(r1 + 0); r2 += 1; *(u64 *)(r1 + 0) = r2
  r3 = *(u64 *)(r6 + 0); r3 = *(u64 *)(r3 + 16)
  r1 = numbers ll; r1 += r9; *(u64 *)(r1 + 0) = r3
  r9 >>= 1
  r1 = sizes ll; r1 += r9; r9 = *(u32 *)(r1 + 0)
  r1 = 0; *(u32 *)(r10 - 4) = r1
  r1 = bytes ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
  if r0 == 0 goto out
  if r9 > 32768 goto out
  r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0)
  r2 = r0
  r3 = r9
  call bpf_seq_write
  r1 = again ll
  r2 = *(u32 *)(r1 + 0)
  if r2 != r8 goto out
  r2 = 0; *(u32 *)(r1 + 0) = r2
  r0 = 1
  exit
  out: r0 = 0
  exit`;

function sized(sizes: readonly number[], again = 0) {
  const on = bench();
  tasks(on, 3);
  const source = withPid(on, SIZED).replace('sizes[4]"', `sizes[4]" = {${[...sizes, 0, 0, 0].slice(0, 4).join(', ')}}`);
  const fd = iterator(on, source.replace('int again"', `int again" = ${again}`));
  const data = on.system.machine.maps.all.find(({ name }) => name.endsWith('.data'))!;
  const words = (at: number): number[] => {
    const bytes = data.userLookup(new Uint8Array(4)) as Uint8Array;
    return [...new BigUint64Array(bytes.slice(at, at + 32).buffer)].map(Number);
  };
  const lengths = (size = 65536): number[] =>
    readAll(on, fd, size).map((piece) => (typeof piece === 'string' ? piece.length : piece));
  return { on, fd, lengths, shown: () => words(24), numbers: () => words(56) };
}

describe('an object that does not fit', () => {
  it('I.2 #4: behind others comes again with the same number', () => {
    const { lengths, shown, numbers } = sized([0, 32760, 32760]);
    expect(lengths()).toEqual([32760, 32760]);
    expect([shown(), numbers()]).toEqual([
      [0, 1, 2, 1],
      [0, 0, 1, 2],
    ]);
  });

  it('I.2 #5: into an empty buffer is too big', () => {
    expect(sized([0, 32767]).lengths()).toEqual([32767]);
    expect(sized([0, 32768]).lengths()).toEqual([E2BIG]);
    expect(sized([0, 8, 32768]).lengths()).toEqual([8, E2BIG]);
  });
});

describe('a program that answers 1', () => {
  it('I.2 #6: fails a read that has nothing else, and sees the object again', () => {
    const { on, fd, shown, numbers } = sized([0, 8, 8], 1);
    expect(on.process.read(fd, 100)).toBe(EAGAIN);
    expect((on.process.read(fd, 100) as Uint8Array).length).toBe(16);
    expect([shown(), numbers()]).toEqual([
      [0, 2, 1, 1],
      [0, 0, 1, 2],
    ]);
  });

  it('ends a read that has something else', () => {
    const { lengths, shown, numbers } = sized([0, 8, 8], 2);
    expect(lengths()).toEqual([8, 8]);
    expect([shown(), numbers()]).toEqual([
      [0, 1, 2, 1],
      [0, 0, 1, 2],
    ]);
  });
});

describe('sessions', () => {
  const SESSION = `.license "GPL"\n${PRINT('id', '%d ')}\n.section "iter/task"\n.program s
    r6 = r1; r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 8); *(u64 *)(r10 - 24) = r1
    r1 = *(u64 *)(r6 + 8); if r1 != 0 goto out
    ${printf('id', 4, 1)}
    out: r0 = 0; exit`;

  it('I.2 #8: of one link are apart', () => {
    const on = bench();
    const link = linkCreate(on.process, load(on, SESSION));
    const [first, second] = [iterCreate(on.process, link), iterCreate(on.process, link)];
    expect([output(on, second), output(on, first)]).toEqual(['2 ', '1 ']);
  });

  it('I.2 #9: keep the program that the link had when they were opened', () => {
    const on = bench();
    const link = linkCreate(on.process, load(on, SESSION));
    const before = iterCreate(on.process, link);
    const other = load(on, SESSION.replaceAll('%d ', '<%d'));
    expect(linkUpdate(on.process, link, other)).toBe(0);
    const after = iterCreate(on.process, link);
    expect([output(on, before), output(on, after)]).toEqual(['1 ', '<2']);
  });
});

it('I.2 #7: a walk over a million objects without output gives up once and goes on', () => {
  const on = bench();
  const silent =
    '.license "GPL"\n.section "iter/bpf_map_elem"\n.program s\nr0 = 0\nexit\n.map big array key_size=4 value_size=1 max_entries=1000001';
  const fd = load(on, silent);
  const program = [...on.system.programs.all][0]!.program;
  const map = on.process.openMap(on.system.map(program.maps[0]!));
  const iter = iterCreate(on.process, linkCreate(on.process, fd, { info: new Uint8Array(Uint32Array.of(map).buffer) }));
  expect(on.process.read(iter, 100)).toBe(EAGAIN);
  expect(text(on.process.read(iter, 100))).toBe('');
}, 120_000);
