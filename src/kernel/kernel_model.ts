import type { Btf } from '../btf/btf.ts';
import { Unmodelled } from '../contracts/errors.ts';
import type { HostCall, PartKey } from '../contracts/host_call.ts';
import type { HostMemory } from '../contracts/host_memory.ts';
import type { EventPoll } from './event_poll.ts';
import type { EventFd } from './eventfd.ts';
import type { IoRing } from './io_uring.ts';
import { Cgroups } from './objects/cgroups.ts';
import { type FileBehaviour, KernelFile } from './objects/files.ts';
import { KernelObjects } from './objects/kernel_objects.ts';
import { type Dentry, Paths } from './objects/paths.ts';
import { Tasks } from './objects/tasks.ts';
import { UnlockSlots } from './objects/unlock_slots.ts';
import { PageFrames } from './page_frames.ts';

/** In what the running program was interrupted, as the world says; comes on top of what the program does itself. */
export interface Interruption {
  irqsDisabled: boolean;
  nmi: boolean;
}

/** The objects of the modelled kernel: what programs find when they look around. */
export class KernelModel {
  readonly objects: KernelObjects;
  readonly cgroups: Cgroups;
  readonly paths: Paths;
  readonly tasks: Tasks;
  readonly unlockSlots: UnlockSlots;
  readonly interruption: Interruption = { irqsDisabled: false, nmi: false };
  readonly frames: PageFrames;
  /** by the offset of what `private_data` of their files points to */
  readonly eventFds = new Map<number, EventFd>();
  readonly eventPolls = new Map<number, EventPoll>();
  readonly rings = new Map<number, IoRing>();
  readonly #files = new Map<number, KernelFile>();

  constructor(memory: HostMemory, btf: Btf, cpuCount: number) {
    this.objects = new KernelObjects(memory, btf, cpuCount);
    this.cgroups = new Cgroups(this.objects);
    this.paths = new Paths(this.objects);
    this.tasks = new Tasks(this.objects, { comm: 'swapper/0', cgroup: this.cgroups.root });
    this.unlockSlots = new UnlockSlots(cpuCount);
    this.frames = new PageFrames(this.objects);
  }

  /** Opens a file; see `KernelFile`. */
  openFile(dentry: Dentry, behaviour: FileBehaviour, flags = 0): KernelFile {
    const file = new KernelFile(this.objects, dentry, behaviour, flags);
    this.#files.set(file.offset, file);
    return file;
  }

  /** The file whose `struct file` this is. */
  fileAt(offset: number): KernelFile | null {
    return this.#files.get(offset) ?? null;
  }
}

/** Where a machine keeps its kernel model: empty until a world is put in. */
export class KernelSlot {
  #model: KernelModel | null = null;

  open(memory: HostMemory, btf: Btf, cpuCount: number): KernelModel {
    this.#model ??= new KernelModel(memory, btf, cpuCount);
    return this.#model;
  }

  get model(): KernelModel | null {
    return this.#model;
  }
}

export const KERNEL: PartKey<KernelSlot> = { name: 'kernel objects', create: () => new KernelSlot() };

/** The kernel model that entry code works on. `Unmodelled` when the program runs in a machine without a world. */
export function kernelOf(call: HostCall): KernelModel {
  const { model } = call.part(KERNEL);
  if (model === null) throw new Unmodelled('kernel objects', 'the program runs without a world');
  return model;
}
