import { ERRNO } from '../contracts/errors.ts';
import type { HostPerf } from '../contracts/host_map.ts';
import type { MapDef } from '../program/program.ts';
import { BpfMap, nextIndex } from './bpf_map.ts';
import type { MapEnvironment } from './environment.ts';

const BPF_F_INDEX_MASK = 0xffffffffn;
const BPF_F_CURRENT_CPU = 0xffffffff;

/** What stands in a slot: a software event that takes output on its CPU, or a counter that can be read. */
export interface PerfEvent {
  readonly kind: 'output' | 'counter';
  /** CPU it was opened on */
  readonly cpu: number;
  /** value of a counter */
  count: bigint;
}

/**
 * BPF_MAP_TYPE_PERF_EVENT_ARRAY. Unless a world says otherwise, every CPU's slot has an output event, as libbpf's perf_buffer
 * opens them. Source: __bpf_perf_event_output and get_map_perf_counter, kernel/trace/bpf_trace.c.
 */
export class PerfEventArrayMap extends BpfMap implements HostPerf {
  readonly events: (PerfEvent | undefined)[] = [];

  constructor(environment: MapEnvironment, def: MapDef, id: number) {
    super(environment, def, id);
    const opened = Math.min(environment.cpuCount, def.maxEntries);
    for (let cpu = 0; cpu < opened; cpu++) this.events.push({ kind: 'output', cpu, count: 0n });
  }

  override get perf(): HostPerf {
    return this;
  }

  output(flags: bigint, data: Uint8Array): number {
    const cpu = this.environment.cpu();
    const index = this.#index(flags);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    const event = this.events[index];
    if (event === undefined) return -ERRNO.ENOENT;
    if (event.kind !== 'output') return -ERRNO.EINVAL;
    if (event.cpu !== cpu) return -ERRNO.EOPNOTSUPP;
    this.environment.record({ kind: 'perf-output', map: this.name, cpu, data: data.slice() });
    return 0;
  }

  read(flags: bigint): bigint {
    if ((flags & ~BPF_F_INDEX_MASK) !== 0n) return BigInt(-ERRNO.EINVAL);
    const index = this.#index(flags);
    if (index >= this.maxEntries) return BigInt(-ERRNO.E2BIG);
    const event = this.events[index];
    if (event === undefined) return BigInt(-ERRNO.ENOENT);
    return event.kind === 'counter' ? event.count : BigInt(-ERRNO.EINVAL);
  }

  protected override readForUser(_key: Uint8Array): Uint8Array | number {
    return -ERRNO.EOPNOTSUPP;
  }

  protected override deleteForUser(key: Uint8Array): number {
    const index = new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);
    if (index >= this.maxEntries) return -ERRNO.E2BIG;
    if (this.events[index] === undefined) return -ERRNO.ENOENT;
    this.events[index] = undefined;
    return 0;
  }

  protected override nextKeyForUser(key: Uint8Array | null): Uint8Array | number {
    return nextIndex(key, this.maxEntries);
  }

  #index(flags: bigint): number {
    const index = Number(flags & BPF_F_INDEX_MASK);
    return index === BPF_F_CURRENT_CPU ? this.environment.cpu() : index;
  }
}
