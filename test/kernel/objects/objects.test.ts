import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/contracts/errors.ts';
import type { KernelModel } from '../../../src/kernel/kernel_model.ts';
import { type Cgroup, nextDescendantPost, nextDescendantPre } from '../../../src/kernel/objects/cgroups.ts';
import { FileTable } from '../../../src/kernel/objects/file_table.ts';
import type { FileBehaviour } from '../../../src/kernel/objects/files.ts';
import { Lock, outsider, ReadWriteLock } from '../../../src/kernel/objects/locks.ts';
import { AddressSpace, areaFlags, permissionsOf } from '../../../src/kernel/objects/mm.ts';
import { UserMemory } from '../../../src/kernel/user_space.ts';
import { emptyKernel } from './model.ts';

const plain: FileBehaviour = { operations: 'ext4_file_operations', privateData: 0 };
const openPath = (kernel: KernelModel, path: string) => kernel.openFile(kernel.paths.open(path), plain);

describe('tasks', () => {
  it('hold what programs read, and point to each other', () => {
    const kernel = emptyKernel();
    const { objects, tasks, cgroups } = kernel;
    const leader = tasks.add({
      pid: 100,
      comm: 'a name that is too long',
      uid: 7,
      parent: tasks.init,
      cgroup: cgroups.at('/x'),
    })!;
    const thread = tasks.add({ pid: 101, tgid: 100, leader, parent: tasks.init, cgroup: leader.cgroup })!;
    const read = (path: string, at: number): bigint => objects.field('task_struct', path).get(at);
    expect([read('pid', thread.offset), read('tgid', thread.offset)]).toEqual([101n, 100n]);
    expect(objects.field('task_struct', 'comm').text(leader.offset)).toBe('a name that is ');
    expect(read('group_leader', thread.offset)).toBe(objects.address(leader.offset));
    expect(read('real_parent', leader.offset)).toBe(objects.address(tasks.init.offset));
    const cpus = objects.field('task_struct', 'cpus_ptr').pointer(leader.offset);
    expect(cpus).toBe(objects.field('task_struct', 'cpus_mask').at(leader.offset));
    expect([objects.memory.u8[cpus], read('nr_cpus_allowed', leader.offset)]).toEqual([0b11, 2n]);
    const cred = objects.field('task_struct', 'cred').pointer(leader.offset);
    expect(objects.field('cred', 'uid.val').get(cred)).toBe(7n);
    const set = objects.field('task_struct', 'cgroups').pointer(thread.offset);
    expect(objects.field('css_set', 'dfl_cgrp').get(set)).toBe(objects.address(leader.cgroup.offset));
    expect(objects.field('signal_struct', 'nr_threads').get(objects.field('task_struct', 'signal').pointer(leader.offset))).toBe(
      2n,
    );
  });

  it('are found by number, by the next number, in the circle of processes and among threads', () => {
    const { tasks, cgroups } = emptyKernel();
    const add = (pid: number, leader: number | null = null) =>
      tasks.add({ pid, tgid: leader ?? pid, leader: leader === null ? null : tasks.byPid(leader), cgroup: cgroups.root })!;
    const [a, b] = [add(30), add(10)];
    const thread = add(31, 30);
    expect(tasks.add({ pid: 30, cgroup: cgroups.root })).toBeNull();
    expect([tasks.from(1), tasks.from(11), tasks.from(32)]).toEqual([b, a, null]);
    expect([tasks.init, a, thread, b].map((task) => tasks.nextProcess(task).pid)).toEqual([30, 10, 10, 0]);
    expect([tasks.nextThread(a), tasks.nextThread(thread)]).toEqual([thread, null]);
    expect(tasks.at(b.offset)).toBe(b);
  });

  it('that exit stay as long as somebody refers to them', () => {
    const { tasks, cgroups, objects } = emptyKernel();
    const task = tasks.add({ pid: 5, cgroup: cgroups.root })!;
    task.get();
    tasks.remove(task);
    expect([tasks.byPid(5), task.mm, objects.field('task_struct', 'pid').get(task.offset)]).toEqual([null, null, 5n]);
    task.put();
    expect(() => objects.memory.check(task.offset, objects.memory.high, 4, false)).toThrow(/freed task_struct of 5/);
  });
});

describe('an address space', () => {
  const filled = () => {
    const kernel = emptyKernel();
    const mm = new AddressSpace(kernel.objects, new UserMemory(), 'pid 1');
    mm.add({ start: 0x7000, end: 0x9000, flags: areaFlags('rw-p')! });
    mm.add({ start: 0x1000, end: 0x3000, flags: areaFlags('r-xp')!, pageOffset: 4, file: openPath(kernel, '/bin/x') });
    return { kernel, mm };
  };

  it.each([
    [0, 0x1000],
    [0x1fff, 0x1000],
    [0x3000, 0x7000],
    [0x8fff, 0x7000],
    [0x9000, undefined],
  ])('finds the area behind 0x%s', (address, start) => {
    expect(filled().mm.find(address)?.start).toBe(start);
  });

  it('shows its areas as vm_area_struct', () => {
    const { kernel, mm } = filled();
    const area = mm.find(0x1000)!;
    const at = mm.areaObject(area);
    const read = (path: string): bigint => kernel.objects.field('vm_area_struct', path).get(at);
    expect([read('vm_start'), read('vm_end'), read('vm_flags') & 0xfn, read('vm_pgoff')]).toEqual([0x1000n, 0x3000n, 5n, 4n]);
    expect(read('vm_file')).toBe(kernel.objects.address(area.file!.offset));
    expect(read('vm_mm')).toBe(kernel.objects.address(mm.offset));
    expect(mm.areaObject(area)).toBe(at);
    mm.resize(area, 0x1000, 0x2000);
    expect(read('vm_end')).toBe(0x2000n);
    mm.remove(area);
    expect(() => kernel.objects.memory.check(at, kernel.objects.memory.high, 8, false)).toThrow(Fault);
  });

  it('names permissions as /proc does', () => {
    for (const text of ['r-xp', 'rw-s', '---p', 'rwxp']) expect(permissionsOf(areaFlags(text)!)).toBe(text);
    expect(areaFlags('rwx')).toBeNull();
  });
});

describe('files', () => {
  it('have a path as d_path gives it', () => {
    const { paths } = emptyKernel();
    expect(paths.open('/a/b/c').path()).toBe('/a/b/c');
    expect(paths.open('/').path()).toBe('/');
    expect(paths.open('/a/b/gone', { isUnlinked: true }).path()).toBe('/a/b/gone (deleted)');
    expect(paths.nameless('anon_inode:[eventfd]').path()).toBe('anon_inode:[eventfd]');
    expect(paths.open('/a/b/c')).toBe(paths.open('/a/b/c'));
  });

  it('tell their kind by their operations', () => {
    const kernel = emptyKernel();
    const read = (path: string, at: number): bigint => kernel.objects.field('file', path).get(at);
    const one = openPath(kernel, '/etc/a');
    const two = kernel.openFile(kernel.paths.nameless('anon_inode:[eventfd]'), { operations: 'eventfd_fops', privateData: 64 });
    expect(read('f_op', one.offset)).not.toBe(read('f_op', two.offset));
    expect(read('private_data', two.offset) & 0xffffffffn).toBe(64n);
    expect(read('f_inode', one.offset)).toBe(kernel.objects.address(one.dentry.inode.offset));
    expect(kernel.fileAt(two.offset)).toBe(two);
  });

  it('are released with their last reference', () => {
    const kernel = emptyKernel();
    let released = 0;
    const file = kernel.openFile(kernel.paths.open('/x'), { ...plain, release: () => released++ });
    expect(file.get()).toBe(true);
    file.put();
    expect(released).toBe(0);
    file.put();
    expect([released, file.get()]).toEqual([1, false]);
  });

  it('stand in tables by descriptor', () => {
    const kernel = emptyKernel();
    const table = new FileTable(kernel.objects, 'pid 1', 200);
    const files = ['/0', '/1', '/2'].map((path) => openPath(kernel, path));
    expect(files.map((file) => table.install(file))).toEqual([0, 1, 2]);
    expect(table.installAt(150, openPath(kernel, '/150'))).toBe(150);
    expect(table.close(1)).toBe(0);
    expect([table.close(1), table.installAt(200, files[1]!), table.install(openPath(kernel, '/n'))]).toEqual([-9, -24, 1]);
    expect(table.descriptors).toEqual([0, 1, 2, 150]);
    expect(table.next(3)?.fd).toBe(150);
    const fdt = kernel.objects.field('files_struct', 'fdt').pointer(table.offset);
    const array = kernel.objects.field('fdtable', 'fd').pointer(fdt);
    expect(kernel.objects.memory.loadU32(array + 8 * 150)).toBe(table.get(150)!.offset);
    expect(kernel.objects.field('fdtable', 'max_fds').get(fdt)).toBe(256n);
  });
});

describe('cgroups', () => {
  it('are walked in both orders', () => {
    const { cgroups } = emptyKernel();
    for (const path of ['/a/x', '/a/y', '/b']) cgroups.at(path);
    const walk = (next: typeof nextDescendantPre, root: Cgroup): string[] => {
      const seen: string[] = [];
      for (let at = next(null, root); at !== null; at = next(at, root)) seen.push(at.path());
      return seen;
    };
    expect(walk(nextDescendantPre, cgroups.root)).toEqual(['/', '/a', '/a/x', '/a/y', '/b']);
    expect(walk(nextDescendantPost, cgroups.root)).toEqual(['/a/x', '/a/y', '/a', '/b', '/']);
    expect(walk(nextDescendantPre, cgroups.at('/a'))).toEqual(['/a', '/a/x', '/a/y']);
    expect(walk(nextDescendantPost, cgroups.at('/a/y'))).toEqual(['/a/y']);
  });

  it('know their id, level and ancestors', () => {
    const { cgroups, objects } = emptyKernel();
    const inner = cgroups.at('/a/b', 77);
    const node = objects.field('cgroup', 'kn').pointer(inner.offset);
    expect(objects.field('kernfs_node', 'id').get(node)).toBe(77n);
    expect(objects.field('cgroup', 'level').get(inner.offset)).toBe(2n);
    const first = objects.field('cgroup', 'ancestors').at(inner.offset);
    expect(objects.memory.loadU32(first)).toBe(cgroups.root.offset);
    expect(objects.memory.loadU32(first + 16)).toBe(inner.offset);
    expect([cgroups.find('/a/b'), cgroups.find('/c'), cgroups.byId(77)]).toEqual([inner, null, inner]);
  });
});

describe('locks', () => {
  it('that somebody outside holds turn away who tries and give way to who waits', () => {
    const lock = new Lock('uring_lock');
    lock.tryLock(outsider('pid 9'));
    expect(lock.tryLock()).toBe(false);
    lock.lock();
    expect(lock.holder?.outside).toBe(false);
    expect(() => lock.lock()).toThrow(/uring_lock is taken again/);
    lock.unlock();
    expect(() => lock.unlock()).toThrow(/nobody holds it/);
  });

  it('of readers let a waiting writer in when the last one leaves', () => {
    const lock = new ReadWriteLock('mmap_lock');
    expect([lock.tryReadLock(), lock.tryReadLock(), lock.readers]).toEqual([true, true, 2]);
    let wrote = 0;
    lock.queueWriter(() => wrote++);
    expect([lock.isContended, lock.tryReadLock(), lock.tryWriteLock()]).toEqual([true, false, false]);
    lock.readUnlock();
    expect(wrote).toBe(0);
    lock.readUnlock();
    expect([wrote, lock.isContended, lock.tryReadLock()]).toEqual([1, false, true]);
  });
});
