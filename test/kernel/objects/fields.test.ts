import { describe, expect, it } from 'vitest';
import { BtfBuilder } from '../../../src/btf/builder.ts';
import { btfFromC } from '../../../src/btf/c_parser.ts';
import { Fault } from '../../../src/contracts/errors.ts';
import { GuestMemory } from '../../../src/kernel/memory.ts';
import { KernelObjects } from '../../../src/kernel/objects/kernel_objects.ts';
import { emptyKernel, profile } from './model.ts';

const C = `
  struct pair { short a; unsigned char b; };
  struct all {
    int plain;
    union { unsigned long long wide; struct { unsigned int low; unsigned int high; }; };
    struct pair pairs[3];
    unsigned int first : 3, second : 5;
    void *pointer;
    char name[8];
  };
  struct all all;
`;
const objects = (): KernelObjects => new KernelObjects(new GuestMemory({ limit: 1 << 20 }), btfFromC(C, new BtfBuilder()).btf);

describe('a field', () => {
  it.each([
    ['plain', 0, 4],
    ['wide', 8, 8],
    ['low', 8, 4],
    ['high', 12, 4],
    ['pairs[2].b', 26, 1],
    ['pairs[1]', 20, 4],
    ['pointer', 32, 8],
  ])('%s stands where BTF says', (path, offset, size) => {
    expect(objects().field('all', path).place).toMatchObject({ offset, size });
  });

  it('holds what was stored, at its width', () => {
    const kernel = objects();
    const at = kernel.create('all');
    kernel.field('all', 'wide').set(at, 0x1122334455667788n);
    expect(kernel.field('all', 'low').number(at)).toBe(0x55667788);
    kernel.field('all', 'plain').set(at, -1);
    expect(kernel.field('all', 'plain').get(at)).toBe(0xffffffffn);
    kernel.field('all', 'pairs[0].a').set(at, 0x1ffff);
    expect(kernel.field('all', 'pairs[0].b').get(at)).toBe(0n);
  });

  it('of bits leaves its neighbours alone', () => {
    const kernel = objects();
    const at = kernel.create('all');
    kernel.field('all', 'first').set(at, 7);
    kernel.field('all', 'second').set(at, 0x15);
    kernel.field('all', 'first').set(at, 2);
    expect([kernel.field('all', 'first').get(at), kernel.field('all', 'second').get(at)]).toEqual([2n, 0x15n]);
  });

  it('of characters ends in a zero', () => {
    const kernel = objects();
    const at = kernel.create('all');
    kernel.field('all', 'name').setText(at, 'longer than that');
    expect(kernel.field('all', 'name').text(at)).toBe('longer ');
  });

  it('that the BTF lacks reads as 0 and takes nothing', () => {
    const kernel = objects();
    const at = kernel.create('all');
    const gone = kernel.field('all', 'gone.with.it');
    gone.set(at, 5);
    gone.setPointer(at, at);
    expect([gone.exists, gone.get(at), gone.pointer(at), kernel.field('all', 'plain').get(at)]).toEqual([false, 0n, 0, 0n]);
  });
});

describe('an object', () => {
  it('of an unknown struct has an address', () => {
    const kernel = objects();
    expect(kernel.create('unheard_of')).not.toBe(kernel.create('unheard_of'));
  });

  it('cannot be written by programs, and a fault names the field', () => {
    const { objects: kernel, tasks } = emptyKernel();
    const { offset } = tasks.init;
    const pid = kernel.field('task_struct', 'pid').at(offset);
    expect(() => kernel.memory.check(pid, kernel.memory.high, 4, true)).toThrow(Fault);
    expect(kernel.memory.check(pid, kernel.memory.high, 4, false)).toBe(pid);
  });
});

it('knows every field that the model sets in the BTF of the base kernel', () => {
  const kernel = emptyKernel().objects;
  const missing = [
    'task_struct.usage.refs.counter',
    'task_struct.thread_pid',
    'task_struct.cgroups',
    'mm_struct.mm_users.counter',
    'mm_struct.map_count',
    'vm_area_struct.vm_flags',
    'vm_area_struct.vm_start',
    'file.f_path.dentry',
    'file.f_ref.refcnt.counter',
    'dentry.d_shortname.string',
    'dentry.d_name.name',
    'inode.i_ino',
    'super_block.s_dev',
    'files_struct.fd_array',
    'fdtable.max_fds',
    'cgroup.ancestors',
    'cgroup.self.parent',
    'kernfs_node.id',
    'css_set.dfl_cgrp',
    'cred.uid.val',
    'pid.numbers',
    'upid.nr',
    'signal_struct.nr_threads',
  ].filter((name) => {
    const [struct, ...path] = name.split('.');
    return !kernel.field(struct!, path.join('.')).exists;
  });
  expect(missing).toEqual([]);
  expect(profile.btf.findByName('task_struct', 'STRUCT')?.size).toBe(kernel.sizeOf('task_struct'));
});
