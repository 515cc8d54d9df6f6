import { ERRNO, Fault } from '../../contracts/errors.ts';
import type { HostCall, PartKey } from '../../contracts/host_call.ts';
import { callRcu } from '../../kernel/rcu.ts';

/**
 * CPU masks: a bit for each CPU, and behind it the reference count of masks that programs make. Source: struct bpf_cpumask,
 * kernel/bpf/cpumask.c; include/linux/cpumask.h; lib/cpumask.c. Only bits of CPUs that exist are looked at.
 */

/** Sizes by the kernel's types. */
interface Layout {
  readonly mask: number;
  readonly whole: number;
  readonly usageAt: number;
}

const LAYOUT: PartKey<Layout> = {
  name: 'layout of struct bpf_cpumask',
  create: ({ btf }) => {
    const struct = btf.findByName('bpf_cpumask', 'STRUCT');
    const member = (name: string) => struct?.members.find((candidate) => candidate.name === name);
    const mask = member('cpumask');
    return {
      whole: struct?.size ?? 0,
      mask: mask === undefined ? 0 : (btf.sizeOf(mask.type) ?? 0),
      usageAt: (member('usage')?.bitOffset ?? 0) / 8,
    };
  },
};

/** CPU that bpf_cpumask_any_distribute() chose last. Source: distribute_cpu_mask_prev. */
const LAST_CHOSEN: PartKey<{ cpu: number }> = { name: 'distribution over CPUs', create: () => ({ cpu: 0 }) };

/** The mask that argument `index` points to, as the set of its CPUs. */
class Mask {
  readonly #call: HostCall;
  readonly at: number;

  constructor(call: HostCall, index: number, isWritten = false) {
    const { mask } = call.part(LAYOUT);
    this.#call = call;
    this.at = isWritten ? call.writable(index, mask) : call.readable(index, mask);
  }

  has(cpu: number): boolean {
    return cpu < this.#call.cpuCount && this.bit(cpu);
  }

  bit(cpu: number): boolean {
    return ((this.#call.memory.u8[this.at + (cpu >> 3)]! >> (cpu & 7)) & 1) === 1;
  }

  set(cpu: number, value: boolean): void {
    const { u8 } = this.#call.memory;
    const at = this.at + (cpu >> 3);
    u8[at] = value ? u8[at]! | (1 << (cpu & 7)) : u8[at]! & ~(1 << (cpu & 7));
  }
}

const cpus = (call: HostCall): number[] => Array.from({ length: call.cpuCount }, (_, cpu) => cpu);
const answer = (call: HostCall, truth: boolean): void => call.setReturn(truth ? 1 : 0, 0);
/** nr_cpu_ids where there is none */
const answerCpu = (call: HostCall, cpu: number | undefined): void => call.setReturn(cpu ?? call.cpuCount, 0);

/** Source: bpf_cpumask_create */
export function cpumaskCreate(call: HostCall): void {
  const { whole, usageAt } = call.part(LAYOUT);
  const at = call.allocationFails() ? 0 : call.memory.allocate(whole, { what: 'bpf_cpumask', btfType: 'bpf_cpumask' });
  if (at !== 0) call.memory.storeI32(at + usageAt, 1);
  call.setReturnPointer(at);
}

export function cpumaskAcquire(call: HostCall): void {
  const { whole, usageAt } = call.part(LAYOUT);
  const at = call.writable(0, whole);
  call.memory.storeI32(at + usageAt, call.memory.loadI32(at + usageAt) + 1);
  call.setReturnPointer(at);
}

/** One reference less; the last one frees the mask once readers are done. */
export function destroyCpumask(call: HostCall, at: number): void {
  const usage = at + call.part(LAYOUT).usageAt;
  const count = call.memory.loadI32(usage) - 1;
  if (count < 0) throw new Fault('use-after-free', 'a CPU mask is released once too often');
  call.memory.storeI32(usage, count);
  if (count === 0) callRcu(call, () => call.memory.free(at));
}

export const cpumaskRelease = (call: HostCall): void => destroyCpumask(call, call.writable(0, call.part(LAYOUT).whole));

export function cpumaskFirst(call: HostCall): void {
  const mask = new Mask(call, 0);
  answerCpu(
    call,
    cpus(call).find((cpu) => mask.has(cpu)),
  );
}

export function cpumaskFirstZero(call: HostCall): void {
  const mask = new Mask(call, 0);
  answerCpu(
    call,
    cpus(call).find((cpu) => !mask.has(cpu)),
  );
}

const inBoth = (call: HostCall): number[] => {
  const first = new Mask(call, 0);
  const second = new Mask(call, 1);
  return cpus(call).filter((cpu) => first.has(cpu) && second.has(cpu));
};

export const cpumaskFirstAnd = (call: HostCall): void => answerCpu(call, inBoth(call)[0]);

/** cpu, cpumask: whether the CPU was in the mask; it is left as it is, put in or taken out */
const testing =
  (becomes: boolean | null) =>
  (call: HostCall): void => {
    const cpu = call.argU32(0);
    const mask = new Mask(call, 1, becomes !== null);
    const before = mask.has(cpu);
    if (becomes !== null && cpu < call.cpuCount) mask.set(cpu, becomes);
    answer(call, before);
  };

export const cpumaskTestCpu = testing(null);
export const cpumaskTestAndSetCpu = testing(true);
export const cpumaskTestAndClearCpu = testing(false);
export const cpumaskSetCpu = testing(true);
export const cpumaskClearCpu = testing(false);

/**
 * dst and sources: each CPU becomes what `rule` says; whether the result has any. But for the intersection the bits that fill the last
 * word up take part.
 */
const combining =
  (sources: 0 | 1 | 2, rule: (first: boolean, second: boolean) => boolean, onlyCpus = false) =>
  (call: HostCall): void => {
    const target = new Mask(call, 0, true);
    const first = sources >= 1 ? new Mask(call, 1) : target;
    const second = sources === 2 ? new Mask(call, 2) : first;
    let any = false;
    for (let cpu = 0; cpu < Math.ceil(call.cpuCount / 64) * 64; cpu++) {
      const value = (cpu < call.cpuCount || !onlyCpus) && rule(first.bit(cpu), second.bit(cpu));
      target.set(cpu, value);
      any ||= value;
    }
    answer(call, any);
  };

export const cpumaskSetall = combining(0, () => true);
export const cpumaskClear = combining(0, () => false);
export const cpumaskCopy = combining(1, (cpu) => cpu);
export const cpumaskAnd = combining(2, (a, b) => a && b, true);
export const cpumaskOr = combining(2, (a, b) => a || b);
export const cpumaskXor = combining(2, (a, b) => a !== b);

const comparing =
  (rule: (first: boolean, second: boolean) => boolean, quantifier: 'every' | 'some') =>
  (call: HostCall): void => {
    const first = new Mask(call, 0);
    const second = new Mask(call, 1);
    answer(
      call,
      cpus(call)[quantifier]((cpu) => rule(first.has(cpu), second.has(cpu))),
    );
  };

export const cpumaskEqual = comparing((a, b) => a === b, 'every');
export const cpumaskIntersects = comparing((a, b) => a && b, 'some');
export const cpumaskSubset = comparing((a, b) => !a || b, 'every');

const membersOf = (call: HostCall): number[] => {
  const mask = new Mask(call, 0);
  return cpus(call).filter((cpu) => mask.has(cpu));
};

export const cpumaskEmpty = (call: HostCall): void => answer(call, membersOf(call).length === 0);
export const cpumaskFull = (call: HostCall): void => answer(call, membersOf(call).length === call.cpuCount);
export const cpumaskWeight = (call: HostCall): void => call.setReturn(membersOf(call).length, 0);

/** The first CPU behind the one that was chosen last, around the end. */
function choose(call: HostCall, members: readonly number[]): void {
  const last = call.part(LAST_CHOSEN);
  const chosen = members.find((cpu) => cpu > last.cpu) ?? members[0];
  if (chosen !== undefined) last.cpu = chosen;
  answerCpu(call, chosen);
}

export const cpumaskAnyDistribute = (call: HostCall): void => choose(call, membersOf(call));
export const cpumaskAnyAndDistribute = (call: HostCall): void => choose(call, inBoth(call));

/** cpumask, src, src__sz: whole words are copied */
export function cpumaskPopulate(call: HostCall): void {
  const size = Math.ceil(call.cpuCount / 64) * 8;
  if (call.arg(2) < BigInt(size)) return call.setReturnNumber(-ERRNO.EACCES);
  const from = call.readable(1, size);
  call.memory.u8.copyWithin(new Mask(call, 0, true).at, from, from + size);
  call.setReturn(0, 0);
}
