import { describe, expect, it } from 'vitest';
import { FileTable } from '../../src/kernel/objects/file_table.ts';
import { AddressSpace, areaFlags } from '../../src/kernel/objects/mm.ts';
import type { Task } from '../../src/kernel/objects/task.ts';
import { UserMemory } from '../../src/kernel/user_space.ts';
import { iterCreate, linkCreate, linkInfo, linkInfoOf } from '../../src/sys/iter_link.ts';
import { type Bench, bench, iterator, load, output, PRINT, printf } from './iterate.ts';

const [EBADF, EINVAL, EACCES, EOPNOTSUPP, ENOENT] = [-9, -22, -13, -95, -2];

const place = (on: Bench, struct: string, path: string): number => on.system.kernel.objects.field(struct, path).place.offset;

/** Prints the tgid and pid of each task, `end` for the end. */
const TASKS = (on: Bench): string => `
  .license "GPL"
  ${PRINT('object', '%d/%d ')}
  ${PRINT('last', 'end')}
  .section "iter/task"
  .program tasks
  r6 = r1
  r7 = *(u64 *)(r6 + 8)
  if r7 == 0 goto end
  r1 = *(s32 *)(r7 + ${place(on, 'task_struct', 'tgid')}); *(u64 *)(r10 - 24) = r1
  r1 = *(s32 *)(r7 + ${place(on, 'task_struct', 'pid')}); *(u64 *)(r10 - 16) = r1
  ${printf('object', 7, 2)}
  goto out
  end: ${printf('last', 4, 0)}
  out: r0 = 0
  exit`;

/** Prints `PID:FD ` for each descriptor. */
const FILES = (on: Bench): string => `
  .license "GPL"
  ${PRINT('object', '%d:%d ')}
  ${PRINT('last', 'end')}
  .section "iter/task_file"
  .program files
  r6 = r1
  r7 = *(u64 *)(r6 + 8)
  if r7 == 0 goto end
  r1 = *(s32 *)(r7 + ${place(on, 'task_struct', 'pid')}); *(u64 *)(r10 - 24) = r1
  r1 = *(u32 *)(r6 + 16); *(u64 *)(r10 - 16) = r1
  r1 = *(u64 *)(r6 + 24); if r1 == 0 goto end
  ${printf('object', 7, 2)}
  goto out
  end: ${printf('last', 4, 0)}
  out: r0 = 0
  exit`;

/** Prints `PID:START ` for each area. */
const AREAS = (on: Bench): string => `
  .license "GPL"
  ${PRINT('object', '%d:%llx ')}
  ${PRINT('last', 'end')}
  .section "iter/task_vma"
  .program areas
  r6 = r1
  r7 = *(u64 *)(r6 + 8)
  r8 = *(u64 *)(r6 + 16)
  if r7 == 0 goto end
  if r8 == 0 goto end
  r1 = *(s32 *)(r7 + ${place(on, 'task_struct', 'pid')}); *(u64 *)(r10 - 24) = r1
  r1 = *(u64 *)(r8 + 0); *(u64 *)(r10 - 16) = r1
  ${printf('object', 9, 2)}
  goto out
  end: ${printf('last', 4, 0)}
  out: r0 = 0
  exit`;

/** Process 200 with threads 202 and 201, of which 201 has descriptors of its own; process 150 without memory. */
function family(on: Bench): Task {
  const { kernel } = on.system;
  const { objects, tasks, paths } = kernel;
  const cgroup = kernel.cgroups.root;
  const table = (count: number): FileTable => {
    const files = new FileTable(objects, 'somebody');
    for (let fd = 0; fd < count; fd++) {
      files.install(kernel.openFile(paths.open(`/file${fd}`), { operations: 'ext4_file_operations', privateData: 0 }));
    }
    return files;
  };
  const mm = new AddressSpace(objects, new UserMemory(), 'pid 200');
  for (const [start, end] of [
    [0x1000, 0x2000],
    [0x2000, 0x4000],
    [0x8000, 0x9000],
  ]) {
    mm.add({ start: start!, end: end!, flags: areaFlags('r--p')! });
  }
  const leader = tasks.add({ pid: 200, mm, files: table(3), cgroup })!;
  tasks.add({ pid: 202, tgid: 200, leader, mm, files: leader.files, cgroup });
  tasks.add({ pid: 201, tgid: 200, leader, mm, files: table(1), cgroup });
  tasks.add({ pid: 150, files: table(1), cgroup });
  return leader;
}

const started = (): Bench => {
  const on = bench();
  family(on);
  return on;
};
const over = (on: Bench, source: string, info: Uint8Array | null = null, size?: number): string =>
  output(on, iterator(on, source, info), size);
const [TID, PID] = [(tid: number) => linkInfo(tid), (pid: number) => linkInfo(0, pid)];

describe('task', () => {
  it('goes by thread id', () => {
    const on = started();
    expect(over(on, TASKS(on))).toBe('100/100 150/150 200/200 200/201 200/202 end');
  });

  it.each([
    ['one thread', TID(202), '200/202 end'],
    ['no thread', TID(999), 'end'],
    ['the threads of a process', PID(200), '200/200 200/202 200/201 end'],
    ['no process: the number of a thread', PID(201), 'end'],
  ])('%s', (_what, info, expected) => {
    const on = started();
    for (const size of [undefined, 1]) expect(over(on, TASKS(on), info, size)).toBe(expected);
  });

  it('takes one selection at most, and descriptors of processes', () => {
    const on = started();
    const fd = load(on, TASKS(on));
    expect(linkCreate(on.process, fd, { info: linkInfo(1, 1) })).toBe(EINVAL);
    expect(linkCreate(on.process, fd, { info: linkInfo(0, 0, 77) })).toBe(EBADF);
    expect(linkCreate(on.process, fd, { info: linkInfo(0, 0, 3) })).toBe(EBADF);
  });

  it('says what it selects', () => {
    const on = started();
    const fd = load(on, TASKS(on));
    const links = [null, TID(202), PID(200)].map((info) => linkCreate(on.process, fd, { info }));
    expect(links.map((link) => (linkInfoOf(on.process, link) as { fields: object }).fields)).toEqual([
      {},
      { tid: 202 },
      { pid: 200 },
    ]);
    const tag = on.system.programs.all[0]!.tag;
    expect(links.map((link) => on.process.fdinfo(link))).toEqual([
      `link_type:\titer\nlink_id:\t1\nprog_tag:\t${tag}\nprog_id:\t1\ntarget_name:\ttask\ntask_type:\tALL\n`,
      `link_type:\titer\nlink_id:\t2\nprog_tag:\t${tag}\nprog_id:\t1\ntarget_name:\ttask\ntask_type:\tTID\ntid:\t202\n`,
      `link_type:\titer\nlink_id:\t3\nprog_tag:\t${tag}\nprog_id:\t1\ntarget_name:\ttask\ntask_type:\tPID\npid:\t200\n`,
    ]);
    expect(tag).toMatch(/^[0-9a-f]{16}$/);
  });

  it('passes over a task that is gone by the next read', () => {
    const on = started();
    const iter = iterator(on, TASKS(on));
    const first = on.process.read(iter, 8) as Uint8Array;
    expect(new TextDecoder().decode(first)).toBe('100/100 ');
    on.system.kernel.tasks.remove(on.system.kernel.tasks.byPid(150)!);
    expect(output(on, iter)).toBe('200/200 200/201 200/202 end');
  });
});

describe('task_file', () => {
  it('goes by thread and descriptor, and shows shared descriptors once', () => {
    const on = started();
    const text = over(on, FILES(on));
    expect(text).toMatch(/^100:0 (100:\d+ )*150:0 200:0 200:1 200:2 201:0 end$/);
    expect(over(on, FILES(on), PID(200), 1)).toBe('200:0 200:1 200:2 201:0 end');
    expect(over(on, FILES(on), TID(202))).toBe('202:0 202:1 202:2 end');
  });

  it('gives back its references', () => {
    const on = started();
    over(on, FILES(on), PID(200));
    const task = on.system.kernel.tasks.byPid(200)!;
    expect([task.references, task.files!.get(0)!.references]).toEqual([2, 1]);
  });
});

describe('task_vma', () => {
  it.each([undefined, 1])('goes by thread and address, reads of %s bytes', (size) => {
    const on = started();
    // 202 shares the descriptors of its leader and is left out; 201 does not
    expect(over(on, AREAS(on), null, size)).toBe('200:1000 200:2000 200:8000 201:1000 201:2000 201:8000 end');
    const { mm } = on.system.kernel.tasks.byPid(200)!;
    expect([mm!.lock.readers, mm!.users]).toEqual([0, 1]);
  });

  it('lets a waiting writer in between two areas', () => {
    const on = started();
    const { mm } = on.system.kernel.tasks.byPid(200)!;
    const iter = iterator(on, AREAS(on), PID(200));
    let turn = 0;
    const { execute } = on.system;
    on.system.execute = (...args) => {
      if (++turn === 1) {
        mm!.lock.queueWriter(() => {
          mm!.remove(mm!.areas[0]!);
          mm!.add({ start: 0x6000, end: 0x7000, flags: 1 });
        });
      }
      return execute.apply(on.system, args);
    };
    expect(output(on, iter)).toBe('200:1000 200:2000 200:6000 200:8000 201:2000 201:6000 201:8000 end');
  });

  it.each([
    ['grew between two reads is shown', 0x5000, '200:2000 200:8000 201:1000 201:2000 201:8000 end'],
    ['shrank is looked for at its old end', 0x3000, '200:8000 201:1000 201:2000 201:8000 end'],
  ])('an area that %s', (_what, end, expected) => {
    const on = started();
    const { mm } = on.system.kernel.tasks.byPid(200)!;
    const iter = iterator(on, AREAS(on), PID(200));
    expect((on.process.read(iter, 9) as Uint8Array).length).toBe(9);
    mm!.resize(mm!.find(0x2000)!, 0x2000, end);
    expect(output(on, iter)).toBe(expected);
  });

  it('of one thread begins anew behind the last interruption, as the kernel does: the thread id is not moved on', () => {
    const on = started();
    expect(over(on, AREAS(on), TID(200))).toBe('200:1000 200:2000 200:8000 end');
    const iter = iterator(on, AREAS(on), TID(200));
    const read = (size: number): string => new TextDecoder().decode(on.process.read(iter, size) as Uint8Array);
    expect([read(9), read(4096), read(4096), read(4096)]).toEqual([
      '200:1000 ',
      '200:2000 200:8000 end',
      '200:2000 200:8000 ',
      '200:2000 200:8000 ',
    ]);
  });
});

describe('objects by id', () => {
  const ids = (on: Bench, target: string, struct: string, path: string): string => `
    .license "GPL"
    ${PRINT('object', '%d ')}
    ${PRINT('last', 'end')}
    .map one array key_size=4 value_size=4 max_entries=1
    .map two hash key_size=4 value_size=4 max_entries=1
    .section "iter/${target}"
    .program ids
    r6 = r1
    r1 = one ll
    r1 = two ll
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto end
    ${struct === 'bpf_prog_aux' ? `r7 = *(u64 *)(r7 + ${place(on, 'bpf_prog', 'aux')})` : ''}
    r1 = *(u32 *)(r7 + ${place(on, struct, path)}); *(u64 *)(r10 - 24) = r1
    ${printf('object', 4, 1)}
    goto out
    end: ${printf('last', 4, 0)}
    out: r0 = 0
    exit`;

  it.each([
    ['bpf_map', 'bpf_map', 'id', '1 2 3 end'],
    ['bpf_prog', 'bpf_prog_aux', 'id', '1 end'],
    ['bpf_link', 'bpf_link', 'id', '1 end'],
  ])('%s', (target, struct, path, expected) => {
    const on = bench();
    for (const size of [undefined]) expect(over(on, ids(on, target, struct, path), null, size)).toBe(expected);
  });
});

describe('ksym', () => {
  const field = (on: Bench, path: string): number => place(on, 'kallsym_iter', path);
  /** Prints the first two symbols and those behind the core of the kernel. */
  const SYMBOLS = (on: Bench): string => `
    .license "GPL"
    ${PRINT('object', '%llu %s [%s] ')}
    .section "iter/ksym"
    .program symbols
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r1 = *(u64 *)(r7 + ${field(on, 'pos')}); *(u64 *)(r10 - 24) = r1
    r2 = r7; r2 += ${field(on, 'name')}; *(u64 *)(r10 - 16) = r2
    r2 = r7; r2 += ${field(on, 'module_name')}; *(u64 *)(r10 - 8) = r2
    if r1 < 3 goto print
    r2 = *(u8 *)(r7 + ${field(on, 'module_name')})
    if r2 == 0 goto out
    print: ${printf('object', 14, 3)}
    out: r0 = 0
    exit`;

  it('goes through functions and programs; at the end it shows what it had last', () => {
    const on = bench();
    const { symbols } = on.system.machine;
    const [first, second] = [symbols.at(0), symbols.at(1)];
    expect(symbols.count).toBeGreaterThan(50_000);
    const iter = iterator(on, SYMBOLS(on));
    const { tag } = on.system.programs.all[0]!;
    expect(output(on, iter)).toBe(
      `1 ${first.name} [] 2 ${second.name} [] ${symbols.count} bpf_prog_${tag}_symbols [bpf] ` +
        `${symbols.count + 1} bpf_prog_${tag}_symbols [__builtin__kprobes] `,
    );
  });

  it('gives the addresses that programs find by name', () => {
    const { machine } = bench().system;
    const found = machine.symbols.find('bpf_get_current_task')!;
    expect(found).toEqual(
      Array.from({ length: machine.symbols.count }, (_, index) => machine.symbols.at(index)).find(
        ({ name }) => name === found.name,
      ),
    );
    expect(machine.symbols.find('no_such_function')).toBeNull();
  });
});

describe('bpf_map_elem', () => {
  /** Prints `KEY=VALUE `, and adds 1 to each value. */
  const elements = (bytes: number): string => `
    .license "GPL"
    ${PRINT('object', '%d=%d ')}
    ${PRINT('last', 'end')}
    .section "iter/bpf_map_elem"
    .program elements
    r6 = r1
    r7 = *(u64 *)(r6 + 16)
    r8 = *(u64 *)(r6 + 24)
    if r7 == 0 goto end
    if r8 == 0 goto end
    r1 = *(u32 *)(r7 + 0); *(u64 *)(r10 - 24) = r1
    r1 = *(u${bytes * 8} *)(r8 + 0); *(u64 *)(r10 - 16) = r1
    r1 += 1; *(u${bytes * 8} *)(r8 + 0) = r1
    ${printf('object', 7, 2)}
    goto out
    end: ${printf('last', 4, 0)}
    out: r0 = 0
    exit
    .map array array key_size=4 value_size=4 max_entries=3
    .map hash hash key_size=4 value_size=4 max_entries=8
    .map percpu percpu_array key_size=4 value_size=4 max_entries=2
    .map small hash key_size=2 value_size=2 max_entries=8
    .map ring ringbuf max_entries=4096`;
  const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

  function opened(bytes = 4) {
    const on = bench();
    const program = load(on, elements(bytes));
    const defs = on.system.programs.all[0]!.program.maps;
    const map = (name: string) => on.system.map(defs.find((def) => def.name === name)!);
    const link = (name: string): number => linkCreate(on.process, program, { info: linkInfo(on.process.openMap(map(name))) });
    return { on, map, link, text: (name: string, size?: number): string => output(on, iterCreate(on.process, link(name)), size) };
  }

  it('walks arrays, and its program may change them', () => {
    const { map, text } = opened();
    map('array').userUpdate(word(1), word(40));
    expect([text('array'), text('array', 1)]).toEqual(['0=0 1=40 2=0 end', '0=1 1=41 2=1 end']);
  });

  it('walks hashes', () => {
    const { map, text } = opened();
    expect(text('hash')).toBe('end');
    for (const key of [7, 9]) map('hash').userUpdate(word(key), word(key * 10));
    const pieces = text('hash', 1).split(' ').sort();
    expect(pieces).toEqual(['7=70', '9=90', 'end']);
  });

  it('shows copies of per-CPU values', () => {
    const { text } = opened();
    expect([text('percpu'), text('percpu')]).toEqual(['0=0 1=0 end', '0=0 1=0 end']);
  });

  it('refuses other maps and programs that look too far', () => {
    const { on, link } = opened();
    expect([link('small'), link('ring')]).toEqual([EACCES, EINVAL]);
    expect(opened(8).link('hash')).toBe(EACCES);
    const program = load(on, elements(4));
    expect(linkCreate(on.process, program, {})).toBe(EBADF);
    expect(linkCreate(on.process, program, { info: linkInfo(999) })).toBe(EBADF);
    expect(linkCreate(on.process, program, { info: linkInfo(program) })).toBe(EINVAL);
  });

  it('names its map', () => {
    const { on, link, map } = opened();
    const fd = link('hash');
    expect(linkInfoOf(on.process, fd)).toMatchObject({ targetName: 'bpf_map_elem', fields: { map_id: map('hash').id } });
    expect(on.process.fdinfo(fd)).toContain(`map_id:\t${map('hash').id}\n`);
  });
});

describe('cgroup', () => {
  const levels = (on: Bench, answer = 0): string => `
    .license "GPL"
    ${PRINT('object', '%d ')}
    ${PRINT('last', 'end')}
    .section "iter/cgroup"
    .program levels
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto end
    r8 = *(u64 *)(r7 + ${place(on, 'cgroup', 'kn')})
    r1 = *(u64 *)(r8 + ${place(on, 'kernfs_node', 'id')}); *(u64 *)(r10 - 24) = r1
    ${printf('object', 4, 1)}
    r0 = ${answer}
    exit
    end: ${printf('last', 4, 0)}
    r0 = 0
    exit`;
  const grown = (): Bench => {
    const on = bench();
    for (const path of ['/a/x', '/a/y', '/b']) on.system.kernel.cgroups.at(path);
    return on;
  };

  it.each([
    ['self only', 1, 2, '2 end'],
    ['parents first', 2, 0, '1 2 3 4 5 end'],
    ['children first', 3, 2, '3 4 2 end'],
    ['upwards', 4, 4, '4 2 1 end'],
  ])('%s', (_order, order, id, expected) => {
    const on = grown();
    expect(over(on, levels(on), linkInfo(order, 0, id, 0))).toBe(expected);
  });

  it('ends when its program says so, and leaves out what is dead', () => {
    const on = grown();
    expect(over(on, levels(on, 1), linkInfo(2))).toBe('1 end');
    on.system.kernel.cgroups.find('/a')!.isDead = true;
    expect(over(on, levels(on), linkInfo(2))).toBe('1 3 4 5 end');
  });

  it('cannot be taken up again in the middle', () => {
    const on = grown();
    const iter = iterator(on, levels(on), linkInfo(2));
    expect((on.process.read(iter, 2) as Uint8Array).length).toBe(2);
    expect(on.process.read(iter, 2)).toBe(EOPNOTSUPP);
  });

  it('wants an order, and one group at most', () => {
    const on = grown();
    const program = load(on, levels(on));
    const attached = (...words: number[]): number => linkCreate(on.process, program, { info: linkInfo(...words) });
    expect([attached(0), attached(5), attached(2, 3, 4, 0), attached(2, 77), attached(2, 0, 99, 0)]).toEqual([
      EINVAL,
      EINVAL,
      EINVAL,
      EBADF,
      ENOENT,
    ]);
    const fd = attached(3, 0, 4, 0);
    expect(linkInfoOf(on.process, fd)).toMatchObject({ fields: { order: 3, cgroup_id: 4 } });
    expect(on.process.fdinfo(fd)).toContain('cgroup_path:\t/a/y\norder: descendants_post\n');
  });
});
