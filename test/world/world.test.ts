import { describe, expect, it } from 'vitest';
import { Malformed } from '../../src/contracts/errors.ts';
import { epollOf } from '../../src/sys/event_calls.ts';
import { ringOf } from '../../src/sys/io_uring_calls.ts';
import { openWorld } from '../../src/world/build.ts';
import { profileWith } from '../kernel/program.ts';

const open = (text: string, ...revisions: string[]) => openWorld(text, 'w.yaml', profileWith(...revisions)).system;

/** Every complaint as `LINE:COLUMN message`. */
const problems = (text: string): string[] => {
  try {
    open(text);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    expect(error.file).toBe('w.yaml');
    return error.diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
};

describe('a world', () => {
  it('is small when it says little', () => {
    const { kernel, machine } = open('tasks:\n  - pid: 42\n    comm: demo\n');
    expect(kernel.tasks.all.map(({ pid, comm, uid, cgroup }) => [pid, comm, uid, cgroup.path()])).toEqual([[42, 'demo', 0, '/']]);
    expect([machine.task.pid, machine.task.comm, machine.cpuCount]).toEqual([42, 'demo', 2]);
    expect(open('').kernel.tasks.all).toEqual([]);
  });

  it('has tasks, threads, groups and what they refer to', () => {
    const { kernel, machine } = open(`
machine: { cpus: 4, hz: 250 }
current: 12
interrupts: nmi
cgroups:
  - { path: /a/b, id: 99 }
tasks:
  - pid: 10
    uid: 1000
    cgroup: /a/b
    threads:
      - tid: 11
      - { tid: 12, comm: other, files: { 0: { path: /x } } }
  - { pid: 20, parent: 10, kthread: true }
`);
    const [ten, eleven, twelve, twenty] = [10, 11, 12, 20].map((pid) => kernel.tasks.byPid(pid)!);
    expect(ten!.threads).toEqual([ten, eleven, twelve]);
    expect([eleven!.mm === ten!.mm, eleven!.files === ten!.files, twelve!.files === ten!.files]).toEqual([true, true, false]);
    expect([twenty!.parent, twenty!.mm, ten!.cgroup.id, ten!.cgroup.path()]).toEqual([ten, null, 99, '/a/b']);
    expect([machine.task.pid, machine.task.tgid, machine.cpuCount, kernel.interruption.nmi]).toEqual([12, 10, 4, true]);
  });

  it('has memory as /proc/PID/maps shows it, and bytes in it', () => {
    const { kernel } = open(`
tasks:
  - pid: 7
    maps:
      - 55d0c0000000-55d0c0002000 r-xp 00001000 08:02 4711                       /usr/bin/demo
      - 55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]
      - { start: 0x7f0000000000, end: 0x7f0000001000, perms: r--s, path: /dev/shm/x, offset: 8192 }
      - ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
    memory:
      - { address: 0x55d0c1000010, text: "hello" }
      - { address: 0x55d0c1000020, hex: "00 ff", writable: false }
`);
    const { mm } = kernel.tasks.byPid(7)!;
    expect(
      mm!.areas.map(({ start, end, pageOffset, file }) => [
        start.toString(16),
        end.toString(16),
        pageOffset,
        file?.dentry.path(),
      ]),
    ).toEqual([
      ['55d0c0000000', '55d0c0002000', 1, '/usr/bin/demo'],
      ['55d0c1000000', '55d0c1021000', 0x55d0c1000, undefined],
      ['7f0000000000', '7f0000001000', 2, '/dev/shm/x'],
    ]);
    expect(mm!.areas[0]!.file!.dentry.inode.number).toBe(4711);
    expect(new TextDecoder().decode(mm!.memory.read(0xc1000010 | 0, 0x55d0, 5)!)).toBe('hello');
    expect(mm!.memory.write(0xc1000020 | 0, 0x55d0, Uint8Array.of(1))).toBe(false);
  });

  it('has open files of every kind', () => {
    const system = open(`
cgroups: [{ path: /g }]
tasks:
  - pid: 5
    files:
      0: { tty: /dev/pts/0 }
      1: { dup: 0 }
      2: { dup: 6/9 }
      3: { eventfd: 42 }
      4: { epoll: [{ fd: 3, events: [IN, ET], data: "0x123456789abcdef" }, { fd: 0 }] }
      5: { pipe: 777 }
      6: { socket: 888 }
      7: { pidfd: 6 }
      8: { cgroup: /g }
      9: { path: /gone, unlinked: true }
      10: { device: /dev/null }
      11: { anonymous: "anon_inode:[timerfd]" }
  - { pid: 6, files: { 9: { path: /etc/hosts, inode: 1234, device: "fd:01" } } }
`);
    const process = system.processOf(system.kernel.tasks.byPid(5)!);
    const paths = process.files.descriptors.map((fd) => process.file(fd)!.dentry.path());
    expect(paths).toEqual([
      '/dev/pts/0',
      '/dev/pts/0',
      '/etc/hosts',
      'anon_inode:[eventfd]',
      'anon_inode:[eventpoll]',
      'pipe:[777]',
      'socket:[888]',
      'anon_inode:[pidfd]',
      '/sys/fs/cgroup/g',
      '/gone (deleted)',
      '/dev/null',
      'anon_inode:[timerfd]',
    ]);
    expect([process.file(0) === process.file(1), process.file(0)!.references]).toEqual([true, 2]);
    const [first] = epollOf(process, process.file(4))!.items;
    expect(
      epollOf(process, process.file(4))!
        .items.map(({ fd }) => fd)
        .sort(),
    ).toEqual([0, 3]);
    expect(first!.poll.items.find(({ fd }) => fd === 3)!.event.data).toBe(0x123456789abcdefn);
    expect(process.file(2)!.dentry.inode.device).toBe((0xfd << 20) | 1);
    expect(process.fdinfo(3)).toBe('eventfd-count:               2a\n');
  });

  it('has rings, attached to each other, with what is registered', () => {
    const system = open(`
tasks:
  - pid: 5
    maps:
      - 7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]
    files:
      3: { io_uring: { entries: 2, flags: [SQPOLL, SQ_AFF, CQSIZE], cq_entries: 4, sq_thread_idle: 1500 } }
      4: { io_uring: { entries: 3, flags: [SQPOLL, ATTACH_WQ], wq_fd: 3, eventfd: 5, files: [0, -1], buffers: [null, { address: 0x7ffd00000100, length: 120 }] } }
      5: { eventfd: 0 }
      0: { path: /x }
`);
    const process = system.processOf(system.kernel.tasks.byPid(5)!);
    const [parent, child] = [ringOf(process, 3)!, ringOf(process, 4)!];
    expect(child.setup.sqData).toBe(parent.setup.sqData);
    expect([child.setup.sqEntries, child.setup.cqEntries, child.files?.length, child.buffers?.length]).toEqual([4, 8, 2, 2]);
    expect(system.calls).toEqual([]);
  });

  it('has locks that others hold', () => {
    const { kernel } = open(`
tasks:
  - { pid: 5, files: { 3: { io_uring: {} }, 4: { epoll: [] } } }
locks:
  - mmap_write: 5
  - alloc: 5
  - uring: 5/3
  - epoll: 5/4
`);
    const task = kernel.tasks.byPid(5)!;
    const [ring] = kernel.rings.values();
    const [poll] = kernel.eventPolls.values();
    expect([task.mm!.lock.tryReadLock(), task.allocLock.tryLock(), ring!.uringLock.tryLock(), poll!.mutex.tryLock()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('while programs run', () => {
  const WRITER = `
tasks: [{ pid: 1, maps: [1000-2000 rw-p] }]
writers: [{ pid: 1, after: 2, unmap: [0x1000], map: [5000-6000 r--p] }]
`;
  const starts = ({ system }: ReturnType<typeof openWorld>): number[] =>
    system.kernel.tasks.byPid(1)!.mm!.areas.map(({ start }) => start);

  it('others change memory after so many messages', () => {
    const world = openWorld(WRITER, 'w.yaml', profileWith());
    const seen = [starts(world)];
    for (let i = 0; i < 3; i++) {
      world.afterMessage();
      seen.push(starts(world));
    }
    expect(seen).toEqual([[0x1000], [0x1000], [0x5000], [0x5000]]);
  });

  it('and wait as long as mmap_lock is held', () => {
    const world = openWorld(WRITER, 'w.yaml', profileWith());
    const { lock } = world.system.kernel.tasks.byPid(1)!.mm!;
    lock.readLock();
    world.afterMessage();
    world.afterMessage();
    expect([starts(world), lock.isContended]).toEqual([[0x1000], true]);
    lock.readUnlock();
    expect(starts(world)).toEqual([0x5000]);
  });

  it('allocations fail from the moment at which the maps are there', () => {
    const world = openWorld('failing_allocations: [1]', 'w.yaml', profileWith());
    const { machine } = world.system;
    const before = [machine.allocationFails(), machine.allocationFails(), machine.allocationFails()];
    world.fill([]);
    expect([before, machine.allocationFails(), machine.allocationFails(), machine.allocationFails()]).toEqual([
      [false, false, false],
      false,
      true,
      false,
    ]);
  });
});

describe('a world that is wrong', () => {
  it.each([
    ['bad YAML', 'tasks:\n  - pid: 1\n   comm: x\n', /^\d:\d /],
    ['an unknown key', 'tasks:\n  - pid: 1\n    nmae: x\n', "3:5 there is no 'nmae' here"],
    ['a missing pid', 'tasks:\n  - comm: x\n', /^2:5 'pid' is missing/],
    ['a value of the wrong kind', 'tasks:\n  - pid: one\n', '2:10 expected number, not "one"'],
    ['a pid that is used twice', 'tasks:\n  - pid: 1\n  - pid: 1\n', '3:10 there is a task 1 already'],
    ['a thread that is used twice', 'tasks:\n  - pid: 1\n    threads: [{ tid: 1 }]\n', '3:22 there is a task 1 already'],
    ['a parent that does not exist', 'tasks:\n  - pid: 1\n    parent: 9\n', '3:13 there is no task 9 before this one'],
    [
      'a descriptor that is used twice',
      'tasks:\n  - pid: 1\n    files:\n      0: { path: /a }\n      0: { path: /b }\n',
      /^5:7 Map keys must be unique/,
    ],
    [
      'a descriptor above the limit',
      'tasks:\n  - pid: 1\n    limit_nofile: 4\n    files: { 4: { path: /a } }\n',
      '4:17 descriptor 4 cannot be opened: EMFILE',
    ],
    ['a copy of nothing', 'tasks:\n  - pid: 1\n    files: { 0: { dup: 7 } }\n', '3:24 there is no open file 7'],
    ['a copy of itself', 'tasks:\n  - pid: 1\n    files: { 0: { dup: 1 }, 1: { dup: 0 } }\n', '3:24 there is no open file 1'],
    ['a process that does not exist', 'tasks:\n  - pid: 1\n    files: { 0: { pidfd: 7 } }\n', '3:26 there is no task 7'],
    [
      'areas that overlap',
      'tasks:\n  - pid: 1\n    maps:\n      - 1000-3000 r--p\n      - 2000-4000 r--p\n',
      '5:9 the area overlaps the one at 0x1000-0x3000',
    ],
    ['an area without bytes', 'tasks:\n  - pid: 1\n    maps:\n      - 3000-3000 r--p\n', '4:9 the area ends before it begins'],
    ['an area that is no line of maps', 'tasks:\n  - pid: 1\n    maps:\n      - hello\n', /^4:9 /],
    [
      'memory of a kernel thread',
      'tasks:\n  - pid: 1\n    kthread: true\n    maps: [1000-2000 r--p]\n',
      '4:11 a kernel thread has no memory',
    ],
    [
      'a ring that the kernel refuses',
      'tasks:\n  - pid: 1\n    files:\n      3: { io_uring: { entries: 0 } }\n',
      '4:33 the ring cannot be set up: EINVAL',
    ],
    [
      'a ring attached to nothing',
      'tasks:\n  - pid: 1\n    files:\n      3: { io_uring: { flags: [ATTACH_WQ], wq_fd: 9 } }\n',
      '4:51 there is no open file 9',
    ],
    [
      'buffers outside of memory',
      'tasks:\n  - pid: 1\n    files:\n      3: { io_uring: { buffers: [{ address: 4096, length: 10 }] } }\n',
      '4:33 the buffers cannot be registered: EFAULT',
    ],
    [
      'an item that cannot be watched',
      'tasks:\n  - pid: 1\n    files: { 1: { path: /a }, 2: { epoll: [{ fd: 1 }] } }\n',
      /descriptor 1 cannot be watched: EPERM/,
    ],
    ['a writer of nothing', 'writers: [{ pid: 9 }]\n', '1:18 task 9 has no memory'],
    [
      'a writer that takes away what is not there',
      'tasks: [{ pid: 1, maps: [1000-2000 rw-p] }]\nwriters: [{ pid: 1, unmap: [0x3000] }]\n',
      '2:29 no area begins at 0x3000',
    ],
    [
      'a writer that maps what is in use',
      'tasks: [{ pid: 1, maps: [1000-2000 rw-p] }]\nwriters: [{ pid: 1, map: [1000-3000 rw-p] }]\n',
      '2:27 the area overlaps the one at 0x1000',
    ],
    ['a lock of nothing', 'locks: [{ alloc: 9 }]\n', '1:18 there is no task 9'],
    ['a current task that does not exist', 'current: 3\n', '1:10 there is no task 3'],
    ['a file of no kind', 'tasks:\n  - pid: 1\n    files: { 0: { what: 1 } }\n', /^3:1\d /],
  ])('%s', (_what, text, expected) => {
    const [first] = problems(text);
    if (typeof expected === 'string') expect(first).toBe(expected);
    else expect(first).toMatch(expected);
  });

  it('names everything that is wrong at once', () => {
    expect(problems('tasks:\n  - pid: 0\n  - { pid: 1, uid: -1 }\nnonsense: 1\n')).toHaveLength(3);
  });

  it('cannot be made large by aliases', () => {
    const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${[...'bcdefgh'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]\n`).join('')}`;
    expect(problems(bomb).length).toBeGreaterThan(0);
  });
});
