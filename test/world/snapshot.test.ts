import { describe, expect, it } from 'vitest';
import { bytesOfText, textOfBytes } from '../../src/kernel/text.ts';
import { epollOf } from '../../src/sys/event_calls.ts';
import { ringOf } from '../../src/sys/io_uring_calls.ts';
import { openWorld } from '../../src/world/build.ts';
import { readProcesses, snapshotOf, snapshotText } from '../../src/world/snapshot.ts';
import type { FileStatus, ProcFiles } from '../../src/world/snapshot_capture.ts';
import { profileWith } from '../kernel/program.ts';
import { type Machine, machineFiles, processFiles } from './proc_text.ts';

function snap(files: ProcFiles, pids: readonly number[] | null = null) {
  const reading = readProcesses(files, pids);
  if ('errno' in reading) throw new Error(reading.errno);
  const snapshot = snapshotOf(reading.captures, files);
  const text = snapshotText(snapshot);
  const { system } = openWorld(text, 'snapshot.yaml', profileWith());
  return { ...snapshot, text, system, kernel: system.kernel, gone: reading.gone };
}

const ODD = 'a b\n\udcff: #"\'\\ü';

describe('names in the kernel are bytes', () => {
  it.each([
    [[0x61, 0xff]],
    [[0xc3, 0xbc, 0xc3]],
    [[0xed, 0xa0, 0x80]],
    [[0xef, 0xbb, 0xbf, 0x41]],
    [[0xf0, 0x9f, 0x98, 0x80, 0x80]],
    [[]],
  ])('%j has a text and comes back from it', (bytes) => {
    expect([...bytesOfText(textOfBytes(Uint8Array.from(bytes)))]).toEqual(bytes);
  });

  it('and text that is UTF-8 is what it seems', () => {
    expect([textOfBytes(bytesOfText('grün')), textOfBytes(Uint8Array.of(0x41, 0x80))]).toEqual(['grün', 'A\udc80']);
  });
});

describe('a snapshot of tasks', () => {
  it('has processes, threads, kernel threads and zombies, none before its parent', () => {
    const text = {
      ...processFiles({ pid: 2, comm: 'kthreadd', flags: 0x208040, start: 1 }),
      ...processFiles({ pid: 300, comm: 'parent', start: 900, uid: '7\t8\t7\t7' }),
      ...processFiles({ pid: 20, comm: 'child', parent: 300, start: 500, threads: { 21: 'one', 25: ODD } }),
      ...processFiles({ pid: 30, comm: 'dead', parent: 20, start: 950, state: 'Z' }),
      ...processFiles({ pid: 1, comm: 'init', start: 0 }),
    };
    const { kernel, leftOut } = snap(machineFiles({ text }));
    expect(kernel.tasks.processes.map(({ pid, comm }) => [pid, comm])).toEqual([
      [0, 'swapper/0'],
      [1, 'init'],
      [2, 'kthreadd'],
      [300, 'parent'],
      [20, 'child'],
      [30, 'dead'],
    ]);
    const [kthread, child, zombie] = [2, 20, 30].map((pid) => kernel.tasks.byPid(pid)!);
    expect([kthread!.mm, zombie!.mm, zombie!.files, child!.parent?.pid]).toEqual([null, null, null, 300]);
    expect(child!.threads.map(({ pid, comm, files }) => [pid, comm, files === child!.files])).toEqual([
      [20, 'child', true],
      [21, 'one', true],
      [25, ODD, true],
    ]);
    expect(kernel.objects.field('task_struct', 'comm').text(kernel.tasks.byPid(25)!.offset)).toBe(ODD);
    expect(leftOut).toEqual(['/proc/300: effective Uid 8, which is not the real one']);
  });

  it('says what is not there or cannot be read', () => {
    const text = { ...processFiles({ pid: 5, comm: 'x', parent: 4, maps: { errno: 'EACCES' } }) };
    const files = machineFiles({ text, links: { '/proc/5/fd/0': { errno: 'EACCES' }, '/proc/5/fd/1': { errno: 'EACCES' } } });
    const { leftOut, text: yaml, gone } = snap(files, [5, 6]);
    expect(leftOut).toEqual(['/proc/5/maps: EACCES', '/proc/5/fd: 2 of 2: EACCES', '/proc/5: parent 4 is not in this snapshot']);
    expect(gone).toEqual([6]);
    for (const line of leftOut) expect(yaml).toContain(`#   ${line}\n`);
  });

  it('reads a process again that changes, and says so when it goes on changing', () => {
    const still = machineFiles({ text: processFiles({ pid: 9, comm: 'busy' }) });
    const changing = (until: number): ProcFiles => {
      let turn = 0;
      return {
        ...still,
        read: (path) => (path === '/proc/9/maps' ? `${Math.min(turn++, until)}000-9000 r--p\n` : still.read(path)),
      };
    };
    expect(snap(changing(2)).leftOut).toEqual([]);
    expect(snap(changing(100)).leftOut).toEqual(['/proc/9: went on changing while it was read']);
  });
});

describe('a snapshot of memory', () => {
  it('keeps the lines of maps, whatever the names are', () => {
    const maps = [
      '00400000-00401000 r-xp 00001000 fe:01 77                         /bin/a b',
      '00500000-00501000 rw-p 00000000 00:00 0 ',
      '00600000-00601000 rw-s 00000000 00:01 9                          /memfd:m (deleted)',
      '00700000-00701000 r--p 00000000 08:02 10                         /x\\012y\udcff (deleted)',
      '00800000-00801000 rw-s 00000000 00:01 11                         [anon_shmem:mine]',
      '00900000-00901000 rw-s 00000000 00:0f 12                         anon_inode:[io_uring]',
      '00a00000-00a01000 rw-p 00000000 00:00 0                          [anon: heap]',
      'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]',
    ];
    const { kernel } = snap(machineFiles({ text: processFiles({ pid: 1, comm: 'a', maps: `${maps.join('\n')}\n` }) }));
    const areas = kernel.tasks
      .byPid(1)!
      .mm!.areas.map(({ start, file }) => [
        start.toString(16),
        file?.dentry.path(),
        file?.dentry.inode.number,
        file?.dentry.inode.device,
      ]);
    expect(areas).toEqual([
      ['400000', '/bin/a b', 77, 0xfe00001],
      ['500000', undefined, undefined, undefined],
      ['600000', '/memfd:m (deleted)', 9, 1],
      ['700000', '/x\ny\udcff (deleted)', 10, 0x800002],
      ['800000', '/dev/zero (deleted)', 11, 1],
      ['900000', 'anon_inode:[io_uring]', 12, 15],
      ['a00000', undefined, undefined, undefined],
    ]);
  });
});

describe('a snapshot of descriptors', () => {
  const info = (extra = '', flags = '02'): string => `pos:\t0\nflags:\t${flags}\nmnt_id:\t1\nino:\t1\n${extra}`;
  const RING = [
    'SqMask:\t0x7\nSqHead:\t0\nSqTail:\t0\nCachedSqHead:\t0\nCqMask:\t0x1f\nCqHead:\t0\nCqTail:\t0\nCachedCqTail:\t0\nSQEs:\t0\nCQEs:\t0\n',
    'SqThread:\t-1\nSqThreadCpu:\t-1\nUserFiles:\t3\n    0: /etc/odd name\n    1: <none>\n    2: /gone\n',
    'UserBufs:\t3\n    0: 0x401000/16\n    1: <none>\n    2: 0x999000/16\nPollList:\nCqOverflowList:\n',
  ].join('');
  const open: Record<number, [target: string, fdinfo: string, status?: Partial<FileStatus>]> = {
    0: ['/dev/pts/3', info(), { mode: 0o020620, special: '88:03' }],
    1: ['/dev/null', info(), { mode: 0o020666, special: '01:03' }],
    2: ['pipe:[555]', info('', '01')],
    3: ['/etc/odd name', info('', '02100002'), { inode: 44, device: 'fd:02' }],
    4: ['/tmp/x (deleted)', info()],
    5: ['/tmp/really (deleted)', info(), { inode: 66 }],
    6: ['anon_inode:[eventfd]', info('eventfd-count:               1f\neventfd-id: 3\n')],
    7: [
      'anon_inode:[eventpoll]',
      info(
        'tfd:        6 events: 80000001 data:  ffffffffffffffff  pos:0 ino:1 sdev:f\ntfd:       77 events: 1 data: 1\ntfd: 3 events: 4 data: 0\n',
      ),
    ],
    8: ['anon_inode:[io_uring]', info(RING)],
    9: ['anon_inode:[pidfd]', info('Pid:\t2\n')],
    10: ['/sys/fs/cgroup/a', info(), { mode: 0o040755 }],
    11: ['anon_inode:[timerfd]', info('clockid: 0\n')],
    80: ['socket:[777]', info()],
  };
  const machine: Machine = {
    text: {
      ...processFiles({ pid: 2, comm: 'two' }),
      ...processFiles({
        pid: 1,
        comm: 'one',
        cgroup: '0::/a/b\n',
        maps: '00401000-00402000 rw-p 00000000 00:00 0\n',
        threads: { 3: 't' },
      }),
      '/proc/self/mountinfo': '31 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n',
      ...Object.fromEntries(Object.entries(open).map(([fd, [, text]]) => [`/proc/1/fdinfo/${fd}`, text])),
    },
    links: Object.fromEntries(
      ['/proc/1', '/proc/1/task/3'].flatMap((place) =>
        Object.entries(open).map(([fd, [target]]) => [`${place}/fd/${fd}`, target]),
      ),
    ),
    status: {
      ...Object.fromEntries(Object.entries(open).map(([fd, [, , status]]) => [`/proc/1/fd/${fd}`, status ?? {}])),
      '/tmp/really (deleted)': { inode: 66 },
      '/sys/fs/cgroup/a': { inode: 4001 },
      '/sys/fs/cgroup/a/b': { inode: 4002 },
    },
  };

  it('has them with their targets', () => {
    const { kernel, leftOut, system } = snap(machineFiles(machine));
    const one = kernel.tasks.byPid(1)!;
    const files = one.files!;
    expect(files.descriptors.map((fd) => [fd, files.get(fd)!.dentry.path()])).toEqual(
      Object.entries(open).map(([fd, [target]]) => [Number(fd), target]),
    );
    expect([files.get(3)!.flags, files.get(3)!.dentry.inode.number, files.get(2)!.flags]).toEqual([0o100002, 44, 1]);
    expect([files.get(4)!.dentry.isUnlinked, files.get(5)!.dentry.isUnlinked]).toEqual([true, false]);
    expect(kernel.tasks.byPid(3)!.files).toBe(files);
    expect([one.cgroup.path(), one.cgroup.id, one.cgroup.parent!.id]).toEqual(['/a/b', 4002, 4001]);
    const process = system.processOf(one);
    expect(process.fdinfo(6)).toBe('eventfd-count:               1f\n');
    expect(epollOf(process, files.get(7))!.items.map(({ fd, event }) => [fd, event.events >>> 0, event.data])).toEqual([
      [3, 0x1c, 0n],
      [6, 0x80000019, 0xffffffffffffffffn],
    ]);
    const ring = ringOf(process, 8);
    if (typeof ring === 'number') throw new Error(`no ring: ${ring}`);
    expect(leftOut).toEqual([
      '/proc/1/fd/8: registered file 2, /gone, which is no open descriptor',
      '/proc/1/fd/8: registered buffer 2, whose memory is gone',
      '/proc/1/fd/7: item 77, which is no descriptor of this process that can be watched',
    ]);
  });

  it('of a thread that has its own', () => {
    const links = { ...machine.links, '/proc/1/task/3/fd/6': 'pipe:[9]' };
    const { kernel } = snap(machineFiles({ ...machine, links }));
    const [one, three] = [1, 3].map((pid) => kernel.tasks.byPid(pid)!);
    expect([three!.files === one!.files, three!.files!.get(6)!.dentry.path()]).toEqual([false, 'pipe:[9]']);
  });
});
