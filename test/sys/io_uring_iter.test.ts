import { describe, expect, it } from 'vitest';
import { outsider } from '../../src/kernel/objects/locks.ts';
import { ioUringSetup, registerBuffers, registerFiles, ringParams, ringRead } from '../../src/sys/io_uring_calls.ts';
import { linkCreate, linkInfo, linkInfoOf } from '../../src/sys/iter_link.ts';
import { output, readAll, text } from './iterate.ts';
import { loadSample, mapMemory, over, type RingBench, ringBench } from './ring_bench.ts';

const [EBADF, EOPNOTSUPP, ENXIO, EDEADLK] = [-9, -95, -6, -35];
const VERSIONS = ['v1', 'v2'] as const;

const BUFFERS = 'io_uring/buffers.bpf.s';
const FILES = 'io_uring/files.bpf.s';

const withBuffers = (version: string): RingBench => ringBench(`io_uring_buf=${version}`, 'page_to_pfn=v1');
const withFiles = (version: string): RingBench => ringBench(`io_uring_file=${version}`);

/** Eight mappings of 128 to 16384 bytes, registered as buffers. */
function registerEight(on: RingBench): string {
  const lines: string[] = ['B\n'];
  const vectors = [];
  for (let index = 0; index < 8; index++) {
    const base = 0x10_0000 + index * 0x1_0000;
    const length = 128 << index;
    mapMemory(on, base, length);
    vectors.push({ base: BigInt(base), length });
  }
  expect(registerBuffers(on.process, on.ringFd, vectors)).toBe(0);
  for (const [index, { base, length }] of vectors.entries()) {
    const page = on.system.kernel.frames.pageOf(on.process.task.mm!, Number(base) / 4096);
    lines.push(`${index}:0x${base.toString(16)}:${length}\n`, `\`-PFN for bvec[0]=${on.system.kernel.frames.frameOf(page)}\n`);
  }
  return `${lines.join('')}E:8\n`;
}

describe.each(VERSIONS)('io_uring_buf %s', (version) => {
  it.each([65536, 1])('D.10 io_uring_buf, I.3 #6: shows every buffer with its first page, reads of %i bytes', (size) => {
    const on = withBuffers(version);
    const { iter } = over(on, BUFFERS, on.ringFd);
    const expected = registerEight(on);
    expect(output(on, iter, size)).toBe(expected);
    expect(on.ring.uringLock.isHeld).toBe(false);
  });

  it('I.3 #4: presents the dummy of an empty slot as any other buffer', () => {
    const on = withBuffers(version);
    mapMemory(on, 0x5000, 120);
    registerBuffers(on.process, on.ringFd, [
      { base: null, length: 0 },
      { base: 0x5000n, length: 120 },
    ]);
    const { iter } = over(on, BUFFERS, on.ringFd);
    // the dummy begins at all ones and ends at 0; it has no page
    expect(output(on, iter)).toMatch(
      /^B\n0:0xffffffffffffffff:1\n`-PFN for bvec\[0\]=18446744073709551615\n1:0x5000:120\n.*\nE:2\n$/,
    );
  });

  it('I.3 #1: attaches to rings alone', () => {
    const on = withBuffers(version);
    const program = loadSample(on, BUFFERS);
    const file = on.process.open('/etc/passwd');
    expect(linkCreate(on.process, program, { info: linkInfo(99) })).toBe(EBADF);
    expect(linkCreate(on.process, program, { info: linkInfo(file) })).toBe(EOPNOTSUPP);
    on.ring.isDying = true;
    expect(linkCreate(on.process, program, { info: linkInfo(on.ringFd) })).toBe(ENXIO);
  });

  it('I.3 #2: does not wait for the lock of the ring', () => {
    const on = withBuffers(version);
    const expected = registerEight(on);
    const { iter } = over(on, BUFFERS, on.ringFd);
    on.ring.uringLock.tryLock(outsider('a ring that reads the iterator over itself'));
    expect(on.process.read(iter, 4096)).toBe(EDEADLK);
    on.ring.uringLock.unlock();
    expect(output(on, iter)).toBe(expected);
  });

  it('I.3 #3: does not wait for a ring that reads the iterator over itself', () => {
    const on = withBuffers(version);
    const expected = registerEight(on);
    const { iter } = over(on, BUFFERS, on.ringFd);
    expect(ringRead(on.process, on.ringFd, iter, 4096)).toBe(EDEADLK);
    const other = ioUringSetup(on.process, 1, ringParams());
    expect(text(ringRead(on.process, other, iter, 4096))).toBe(expected);
    expect([ringRead(on.process, 99, iter, 1), ringRead(on.process, other, 99, 1)]).toEqual([EBADF, EBADF]);
  });

  it('I.3 #7: would show what is registered behind the end, but not a second end', () => {
    const on = withBuffers(version);
    const { iter } = over(on, BUFFERS, on.ringFd);
    expect(output(on, iter)).toBe('B\nE:0\n');
    const expected = registerEight(on);
    expect(output(on, iter)).toBe(expected.replace('E:8\n', ''));
  });

  it('I.3 #8: tells its ring by inode, since version 2', () => {
    const on = withBuffers(version);
    const { link } = over(on, BUFFERS, on.ringFd);
    const inode = on.process.inodeOf(on.ringFd);
    expect(linkInfoOf(on.process, link)).toMatchObject({
      targetName: 'io_uring_buf',
      targetNameLength: 13,
      fields: version === 'v1' ? {} : { io_uring_inode: inode },
    });
    expect(on.process.fdinfo(link)!.includes(`io_uring_inode:\t${inode}\n`)).toBe(version === 'v2');
  });

  it('I.3 #9: keeps the ring as long as the link is there, and no longer', () => {
    const on = withBuffers(version);
    const { link, iter } = over(on, BUFFERS, on.ringFd);
    on.process.close(on.ringFd);
    expect(text(on.process.read(iter, 2))).toBe('B\n');
    on.process.close(link);
    expect(() => readAll(on, iter)).toThrow(/freed io_ring_ctx is read by an iterator whose link is closed/);
    expect(on.system.profile.unsound).toContain(
      'an iterator that is read after its link was closed uses a ring that may be gone',
    );
  });
});

describe.each(VERSIONS)('io_uring_file %s', (version) => {
  it.each([65536, 1])(
    'D.10 io_uring_file, I.3 #6: shows paths, and empty slots apart from the end, reads of %i bytes',
    (size) => {
      const on = withFiles(version);
      const { iter } = over(on, FILES, on.ringFd);
      const fds = Array.from({ length: 8 }, (_, index) =>
        index % 2 === 0 ? on.process.open(`/tmp/io_uring${index}`, 2, { isUnlinked: true }) : -1,
      );
      expect(registerFiles(on.process, on.ringFd, fds)).toBe(0);
      for (const fd of fds) if (fd !== -1) on.process.close(fd);
      const lines = fds.map((fd, index) => (fd === -1 ? `${index}:<none>\n` : `${index}:/tmp/io_uring${index} (deleted)\n`));
      expect(output(on, iter, size)).toBe(`B\n${lines.join('')}E:8\n`);
    },
  );

  it('I.3 #5: tells an empty slot from the end by the index alone', () => {
    const on = withFiles(version);
    const { iter } = over(on, FILES, on.ringFd);
    const fds = [0, 1, 2, 3, 4].map((slot) => (slot % 2 === 0 ? on.process.open(`/tmp/f${slot}`) : -1));
    expect(registerFiles(on.process, on.ringFd, fds)).toBe(0);
    expect(output(on, iter)).toBe('B\n0:/tmp/f0\n1:<none>\n2:/tmp/f2\n3:<none>\n4:/tmp/f4\nE:5\n');
  });

  it('attaches before anything is registered, and shows the end at once', () => {
    const on = withFiles(version);
    expect(output(on, over(on, FILES, on.ringFd).iter)).toBe('B\nE:0\n');
  });
});

it('the base kernel has neither target', () => {
  const { system } = ringBench();
  expect(['io_uring_buf', 'io_uring_file', 'epoll'].filter((name) => system.profile.iterTargets.has(name))).toEqual([]);
});
