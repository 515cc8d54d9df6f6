import { describe, expect, it } from 'vitest';
import { EPOLL } from '../../src/kernel/event_poll.ts';
import type { FileBehaviour } from '../../src/kernel/objects/files.ts';
import { outsider } from '../../src/kernel/objects/locks.ts';
import { EPOLL_CTL, epollCreate, epollCtl, epollOf, epollWait, eventfd } from '../../src/sys/event_calls.ts';
import { iterCreate, linkCreate, linkInfo } from '../../src/sys/iter_link.ts';
import { type Bench, bench, output, text } from './iterate.ts';
import { loadSample, over } from './ring_bench.ts';

const [EBADF, EPERM, EINVAL, EEXIST, ENOENT, ELOOP, EOPNOTSUPP] = [-9, -1, -22, -17, -2, -40, -95];
const SAMPLE = 'epoll/items.bpf.s';
const watch = { events: EPOLL.IN, data: 7n };

const end = (on: Bench, operations: FileBehaviour['operations'], name: string): number =>
  on.process.install(on.system.kernel.paths.nameless(name), { operations, privateData: 0, poll: () => 0, waiters: new Set() });

describe('epoll_ctl', () => {
  const setUp = () => {
    const on = bench();
    const ep = epollCreate(on.process);
    const event = eventfd(on.process, 0);
    const ctl = (op: keyof typeof EPOLL_CTL, fd: number, events: number = EPOLL.IN, epfd = ep): number =>
      epollCtl(on.process, epfd, EPOLL_CTL[op], fd, { events, data: 1n });
    return { on, ep, event, ctl };
  };

  it('adds, changes and removes', () => {
    const { event, ctl } = setUp();
    expect([ctl('MOD', event), ctl('DEL', event), ctl('ADD', event), ctl('ADD', event)]).toEqual([ENOENT, ENOENT, 0, EEXIST]);
    expect([ctl('MOD', event, EPOLL.OUT), ctl('DEL', event), ctl('DEL', event)]).toEqual([0, 0, ENOENT]);
  });

  it('refuses bad descriptors and files that cannot be polled', () => {
    const { on, ep, event, ctl } = setUp();
    const file = on.process.open('/etc/passwd');
    expect([ctl('ADD', 99), ctl('ADD', event, 1, 99), ctl('ADD', file), ctl('ADD', ep), ctl('ADD', event, 1, event)]).toEqual([
      EBADF,
      EBADF,
      EPERM,
      EINVAL,
      EINVAL,
    ]);
  });

  it('has its own rules for EPOLLEXCLUSIVE', () => {
    const { on, event, ctl } = setUp();
    const inner = epollCreate(on.process);
    expect([
      ctl('ADD', inner, EPOLL.IN | EPOLL.EXCLUSIVE),
      ctl('ADD', event, EPOLL.IN | EPOLL.EXCLUSIVE | EPOLL.ONESHOT),
      ctl('ADD', event, EPOLL.IN | EPOLL.EXCLUSIVE),
      ctl('MOD', event, EPOLL.IN | EPOLL.EXCLUSIVE),
    ]).toEqual([EINVAL, EINVAL, 0, EINVAL]);
  });

  it('refuses loops and chains that are too long', () => {
    const { on, ep, ctl } = setUp();
    const chain = Array.from({ length: 5 }, () => epollCreate(on.process));
    expect(ctl('ADD', chain[0]!)).toBe(0);
    expect(ctl('ADD', ep, EPOLL.IN, chain[0])).toBe(ELOOP);
    for (let i = 0; i < 4; i++) expect(ctl('ADD', chain[i]!, EPOLL.IN, chain[i + 1])).toBe(0);
    expect([ctl('ADD', chain[4]!), ctl('ADD', epollCreate(on.process), EPOLL.IN, chain[0])]).toEqual([ELOOP, ELOOP]);
  });
});

describe('epoll_wait', () => {
  it('reports what is ready, as long as it is', () => {
    const on = bench();
    const ep = epollCreate(on.process);
    const event = eventfd(on.process, 0);
    epollCtl(on.process, ep, EPOLL_CTL.ADD, event, watch);
    expect(epollWait(on.process, ep, 10, 0)).toEqual([]);
    on.system.kernel.eventFds.values().next().value!.signal();
    expect(epollWait(on.process, ep, 10, 0)).toEqual([{ events: EPOLL.IN, data: 7n }]);
    expect(epollWait(on.process, ep, 10, 0)).toHaveLength(1);
    on.process.read(event, 8);
    expect(epollWait(on.process, ep, 10, 0)).toEqual([]);
  });

  it.each([
    ['once', EPOLL.ONESHOT],
    ['at the edge', EPOLL.ET],
  ])('reports %s', (_how, bit) => {
    const on = bench();
    const ep = epollCreate(on.process);
    epollCtl(on.process, ep, EPOLL_CTL.ADD, eventfd(on.process, 1), { events: EPOLL.IN | bit, data: 7n });
    expect([epollWait(on.process, ep, 10, 0), epollWait(on.process, ep, 10, 0)]).toEqual([[{ events: EPOLL.IN, data: 7n }], []]);
  });

  it('lets time pass', () => {
    const on = bench();
    const ep = epollCreate(on.process);
    const before = on.system.machine.clock.nanoseconds;
    expect(epollWait(on.process, ep, 1, 250)).toEqual([]);
    expect(on.system.machine.clock.nanoseconds - before).toBeGreaterThanOrEqual(250_000_000n);
    expect([epollWait(on.process, ep, 0, 0), epollWait(on.process, 99, 1, 0)]).toEqual([EINVAL, EBADF]);
    expect(() => epollWait(on.process, ep, 1, -1)).toThrow(/waits for ever/);
  });
});

describe('the epoll target', () => {
  const watching = () => {
    const on = bench(['epoll=v1']);
    const ep = epollCreate(on.process);
    const fds = [
      end(on, 'pipefifo_fops', 'pipe:[1]'),
      end(on, 'socket_file_ops', 'socket:[2]'),
      end(on, 'pipefifo_fops', 'pipe:[1]'),
      end(on, 'socket_file_ops', 'socket:[3]'),
    ];
    for (const fd of [...fds].reverse()) epollCtl(on.process, ep, EPOLL_CTL.ADD, fd, watch);
    const kinds = ['pipe', 'socket', 'pipe', 'socket'];
    const lines = fds.map((fd, index) => `${kinds[index]}:${fd}\n`);
    return { on, ep, fds, lines, poll: epollOf(on.process, on.process.file(ep))! };
  };

  it.each([65536, 1])('D.10 epoll, I.4 #2: shows items in the order of the tree, reads of %i bytes', (size) => {
    const { on, ep, lines, poll } = watching();
    expect(poll.items.map(({ file }) => file.offset)).toEqual(poll.items.map(({ file }) => file.offset).sort((a, b) => a - b));
    expect(output(on, over(on, SAMPLE, ep).iter, size)).toBe(`B\n${lines.join('')}E\n`);
    expect(poll.mutex.isHeld).toBe(false);
  });

  it('I.4 #1, I.4 #5: attaches to epoll files alone, and its iterators cannot be watched', () => {
    const { on, ep, fds } = watching();
    const program = loadSample(on, SAMPLE);
    expect(linkCreate(on.process, program, { info: linkInfo(99) })).toBe(EBADF);
    expect(linkCreate(on.process, program, { info: linkInfo(fds[0]!) })).toBe(EOPNOTSUPP);
    const iter = iterCreate(on.process, linkCreate(on.process, program, { info: linkInfo(ep) }));
    expect(epollCtl(on.process, ep, EPOLL_CTL.ADD, iter, watch)).toBe(EPERM);
  });

  it('I.4 #3: passes over an item whose file is being closed; its number is missing', () => {
    const { on, ep, fds, lines, poll } = watching();
    const { iter } = over(on, SAMPLE, ep);
    poll.mutex.tryLock(outsider('somebody'));
    on.process.close(fds[1]!);
    poll.mutex.unlock();
    expect(poll.items).toHaveLength(4);
    expect(output(on, iter)).toBe(`B\n${lines[0]}${lines[2]}${lines[3]}E\n`);
  });

  it('I.4 #4: ends when the item that it would go on with is gone', () => {
    const { on, ep, fds, lines } = watching();
    const { iter } = over(on, SAMPLE, ep);
    const first = `B\n${lines[0]}`;
    expect(text(on.process.read(iter, first.length))).toBe(first);
    on.process.close(fds[1]!);
    expect(output(on, iter)).toBe('E\n');
  });

  it('uses what may be gone when its link is closed', () => {
    const { on, ep } = watching();
    const { link, iter } = over(on, SAMPLE, ep);
    on.process.close(ep);
    on.process.close(link);
    expect(() => on.process.read(iter, 100)).toThrow(/whose link is closed/);
  });
});
