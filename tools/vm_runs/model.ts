import { assemble } from '../../src/asm/assemble.ts';
import { ERRNO } from '../../src/contracts/errors.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { PF_KTHREAD } from '../../src/kernel/objects/task.ts';
import { emptyContext } from '../../src/kernel/plain_context.ts';
import type { BpfMap } from '../../src/maps/bpf_map.ts';
import type { UserRingBufferMap } from '../../src/maps/user_ring_buffer.ts';
import type { ObjectImage } from '../../src/program/program.ts';
import { EPOLL_CTL, epollCreate, epollCtl, epollWait } from '../../src/sys/event_calls.ts';
import { iterCreate, linkCreate, linkDetach, linkInfoOf, linkUpdate, progLoad } from '../../src/sys/iter_link.ts';
import type { Process } from '../../src/sys/process.ts';
import { type MapMapping, mmapRing, mprotect, mremap } from '../../src/sys/ring_mapping.ts';
import { System } from '../../src/sys/system.ts';
import { UserRingProducer } from '../../src/sys/user_ring_buffer.ts';
import { comparable } from './golden.ts';
import type { Answer, Scenario, Step } from './steps.ts';

const PAGE = 4096;
const LINK_TYPE_ITER = 4;
const NANOSECONDS_PER_MS = 1_000_000n;
const CALLER_PID = 100;
const KTHREADD_PID = 2;
/** Descriptors that every process begins with. */
const STANDARD_FILES = 3;

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

type StepOf<Name extends Step['do']> = Extract<Step, { do: Name }>;

/** A machine with the first kernel thread, and the process that makes the calls. */
function callerIn(system: System): Process {
  const { tasks, cgroups } = system.kernel;
  tasks.add({ pid: KTHREADD_PID, comm: 'kthreadd', flags: PF_KTHREAD, parent: tasks.init, cgroup: cgroups.root });
  const process = system.spawn(CALLER_PID, 'guest');
  for (let standard = 0; standard < STANDARD_FILES; standard++) process.open('/dev/console');
  return process;
}

/** Carries out a scenario in the modelled kernel. `system`: one with a world of its own; then its current task makes the calls. */
export class ModelRun {
  readonly system: System;
  readonly #process: Process;
  readonly #image: ObjectImage;
  readonly #fds = new Map<string, number>();
  readonly #epolls = new Map<string, number>();
  readonly #producers = new Map<string, UserRingProducer>();
  #mapping: MapMapping | null = null;

  constructor(scenario: Scenario, profile: Profile, system: System = new System(profile), process: Process | null = null) {
    this.system = system;
    this.#process = process ?? callerIn(system);
    this.#image = assemble(scenario.text, `${scenario.name}.bpf.s`, { profile });
  }

  /** What the steps are answered. */
  static answers(scenario: Scenario, profile: Profile): Answer[] {
    const run = new ModelRun(scenario, profile);
    return scenario.steps.map((step) => comparable(run.step(step)));
  }

  step(step: Step): Answer {
    switch (step.do) {
      case 'load':
        return this.#load(step);
      case 'run':
        return { result: this.#run(step.prog) };
      case 'lookup':
        return this.#lookup(step);
      case 'update':
        return { result: this.#map(step.map).userUpdate(bytesOf(step.key), bytesOf(step.value), 0n) };
      case 'delete':
        return { result: this.#map(step.map).userDelete(bytesOf(step.key)) };
      case 'attach':
        return this.#attach(step);
      case 'iter':
        return this.#name(step.iter, iterCreate(this.#process, this.#fd(step.link), step.flags ?? 0));
      case 'relink':
        return { result: this.#relink(step) };
      case 'detach':
        return { result: linkDetach(this.#process, this.#fd(step.link)) };
      case 'read':
        return this.#read(step);
      case 'close':
        return { result: this.#process.close(this.#fd(step.fd)) };
      case 'fdinfo':
        return { text: this.#process.fdinfo(this.#fd(step.fd)) ?? '' };
      case 'info':
        return this.#info(step);
      case 'cgroup':
        return this.#cgroup(step);
      case 'area':
      case 'unmap':
        return this.#area(step);
      case 'mmap':
      case 'mprotect':
      case 'mremap':
        return this.#memory(step);
      case 'later':
        return this.#later(step);
      default:
        return this.#ring(step);
    }
  }

  #fd(name: string): number {
    return this.#fds.get(name) ?? -1;
  }

  /** Gives a descriptor a name; the answer does not tell its number. */
  #name(name: string, fd: number): Answer {
    this.#fds.set(name, fd);
    return { result: Math.min(fd, 0) };
  }

  #program(name: string) {
    const found = this.#image.programs.find((program) => program.name === name);
    if (found === undefined) throw new Error(`there is no program ${name}`);
    return found;
  }

  #map(name: string): BpfMap {
    const def = this.#image.maps.find((map) => map.name === name);
    if (def === undefined) throw new Error(`there is no map ${name}`);
    return this.system.map(def);
  }

  #mapFd(name: string): number {
    const known = this.#fds.get(name);
    if (known !== undefined) return known;
    const fd = this.#process.openMap(this.#map(name));
    this.#fds.set(name, fd);
    return fd;
  }

  #load({ prog }: StepOf<'load'>): Answer {
    const program = this.#program(prog);
    const done = this.system.load(program, this.#image);
    if ('refused' in done) throw new Error(`${prog}: ${done.refused.message ?? done.refused.unmodelled.join()}`);
    for (const { name } of program.maps) this.#mapFd(name);
    return this.#name(prog, progLoad(this.#process, program));
  }

  #run(prog: string): number {
    const done = this.system.load(this.#program(prog), this.#image);
    if ('refused' in done) throw new Error(`${prog} is not loaded`);
    this.system.enter(this.#process.task);
    const result = Number(BigInt.asIntN(32, this.system.execute(done.program, emptyContext)));
    this.system.settle();
    return result;
  }

  #lookup({ map, key, size }: StepOf<'lookup'>): Answer {
    const value = this.#map(map).userLookup(bytesOf(key));
    return typeof value === 'number' ? { result: value, hex: '' } : { result: size, hex: hexOf(value.subarray(0, size)) };
  }

  #attach(step: StepOf<'attach'>): Answer {
    const words = step.info?.map((word) => (typeof word === 'number' ? word : this.#fd(word)));
    const fd = linkCreate(this.#process, this.#fd(step.prog), {
      info: words === undefined ? null : new Uint8Array(Int32Array.from(words).buffer),
      ...(step.infoLength === undefined ? {} : { infoLength: step.infoLength }),
      ...(step.targetFd === undefined ? {} : { targetFd: step.targetFd }),
      ...(step.flags === undefined ? {} : { flags: step.flags }),
      ...(step.attachType === undefined ? {} : { attachType: step.attachType }),
    });
    return this.#name(step.link, fd);
  }

  #relink({ link, prog, old }: StepOf<'relink'>): number {
    return linkUpdate(this.#process, this.#fd(link), this.#fd(prog), old === undefined ? null : this.#fd(old));
  }

  #read({ iter, size, all }: StepOf<'read'>): Answer {
    const fd = this.#fd(iter);
    const pieces: string[] = [];
    for (;;) {
      const bytes = this.#process.read(fd, size);
      if (typeof bytes === 'number') return all ? { pieces, result: bytes } : { result: bytes, hex: '' };
      if (!all) return { result: bytes.length, hex: hexOf(bytes) };
      if (bytes.length === 0) return { pieces, result: 0 };
      pieces.push(hexOf(bytes));
    }
  }

  #info({ link, room }: StepOf<'info'>): Answer {
    const info = linkInfoOf(this.#process, this.#fd(link), room);
    if (typeof info === 'number') return { result: info, type: 0, length: room, name: '', words: [0, 0, 0] };
    const { cgroup_id: id, order = 0, tid = 0, pid = 0 } = info.fields;
    const words = id === undefined ? [Number(tid), Number(pid), 0] : [0, 0, Number(order)];
    return {
      result: info.result,
      type: info.result === 0 ? LINK_TYPE_ITER : 0,
      length: info.targetNameLength,
      name: info.targetName ?? '',
      words,
    };
  }

  #cgroup({ path, fd }: StepOf<'cgroup'>): Answer {
    const { cgroups, paths } = this.system.kernel;
    const group = cgroups.at(path);
    const dentry = paths.open(`/sys/fs/cgroup${path}`);
    return this.#name(fd, this.#process.install(dentry, { operations: 'ext4_dir_operations', privateData: group.offset }));
  }

  #area(step: StepOf<'area' | 'unmap'>): Answer {
    const { mm } = this.#process.task;
    if (step.do === 'area') {
      if (mm!.overlapping(step.start, step.start + step.length) !== null) return { result: -ERRNO.EEXIST };
      mm!.add({ start: step.start, end: step.start + step.length, flags: step.protection });
    } else {
      const area = mm!.find(step.start);
      if (area !== null && area.start === step.start) mm!.remove(area);
    }
    return { result: 0 };
  }

  #memory(step: StepOf<'mmap' | 'mprotect' | 'mremap'>): Answer {
    if (step.do === 'mprotect') return { result: mprotect(this.#mapping!, step.protection) };
    if (step.do === 'mremap') return { result: Math.min(mremap(this.#mapping!, step.pages * PAGE), 0) };
    const { map, page, pages, protection, shared = true } = step;
    const made = mmapRing(this.#process, this.#fd(map), { length: pages * PAGE, protection, offset: page * PAGE, shared });
    this.#mapping = typeof made === 'number' ? null : made;
    return { result: typeof made === 'number' ? made : 0 };
  }

  #later({ prog, delay }: StepOf<'later'>): Answer {
    const { clock, agenda } = this.system.machine;
    agenda.add(clock.nanoseconds + BigInt(delay) * NANOSECONDS_PER_MS, () => void this.#run(prog));
    return { result: 0 };
  }

  #producer(map: string): UserRingProducer {
    const known = this.#producers.get(map);
    if (known !== undefined) return known;
    const made = UserRingProducer.open(this.#process, this.#fd(map));
    if (typeof made === 'number') throw new Error(`no producer: ${made}`);
    this.#producers.set(map, made);
    return made;
  }

  #ring(step: Extract<Step, { map: string }>): Answer {
    const ring = this.#map(step.map) as UserRingBufferMap;
    switch (step.do) {
      case 'ring':
        return { result: 0 };
      case 'watch': {
        const epoll = epollCreate(this.#process);
        this.#epolls.set(step.map, epoll);
        return { result: epollCtl(this.#process, epoll, EPOLL_CTL.ADD, this.#fd(step.map), { events: step.events, data: 0n }) };
      }
      case 'wait': {
        const events = epollWait(this.#process, this.#epolls.get(step.map)!, 1, step.timeout);
        return typeof events === 'number'
          ? { result: events, events: 0 }
          : { result: events.length, events: events[0]?.events ?? 0 };
      }
      case 'record':
        ring.setHeader(BigInt(step.at), step.length);
        if (step.payload !== undefined) ring.write(BigInt(step.at + 8), bytesOf(step.payload));
        return { result: 0 };
      case 'fill':
        return this.#fill(ring, step);
      case 'producer':
        ring.producer = BigInt(step.position);
        return { result: 0 };
      case 'positions':
        return { consumer: Number(ring.consumer), producer: Number(ring.producer) };
      case 'payload':
        return { result: step.size, hex: hexOf(ring.read(BigInt(step.at + 8), step.size)) };
      case 'reserve': {
        const producer = this.#producer(step.map);
        const sample =
          step.timeout === undefined ? producer.reserve(step.size) : producer.reserveBlocking(step.size, step.timeout);
        return { result: typeof sample === 'number' ? sample : Number(sample.record) };
      }
      case 'commit': {
        const sample = { record: BigInt(step.record), size: 0 };
        if (step.discard) this.#producer(step.map).discard(sample);
        else this.#producer(step.map).submit(sample);
        return { result: 0 };
      }
      default:
        throw new Error(`step ${step.do} is no step of a ring`);
    }
  }

  #fill(ring: UserRingBufferMap, { count, length }: StepOf<'fill'>): Answer {
    const total = BigInt(Math.ceil(((length & 0x3fff_ffff) + 8) / 8) * 8);
    let position = 0n;
    for (let i = 0; i < count; i++, position += total) ring.setHeader(position, length);
    ring.producer = position;
    return { result: 0 };
  }
}
