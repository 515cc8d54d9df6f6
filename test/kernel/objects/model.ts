import { KernelModel } from '../../../src/kernel/kernel_model.ts';
import { GuestMemory } from '../../../src/kernel/memory.ts';
import { openProfile } from '../../../src/profiles/index.ts';
import { readVmlinuxPart } from '../../profiles/packed_vmlinux.ts';

export const profile = openProfile('linux-6.18', readVmlinuxPart);

/** A kernel with nothing in it but process 0 and the root cgroup. */
export const emptyKernel = (): KernelModel => new KernelModel(new GuestMemory({ limit: 64 << 20 }), profile.btf, 2);
