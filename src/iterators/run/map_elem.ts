import { Bug, ERRNO } from '../../contracts/errors.ts';
import {
  type IterHost,
  type IterLinkInfo,
  type IterPosition,
  type IterProgram,
  type IterSequence,
  type IterSession,
  type IterStep,
  iterRun,
} from '../../contracts/iteration.ts';
import { MAP_TYPES } from '../../contracts/uapi_numbers.ts';
import { BpfMap } from '../../maps/bpf_map.ts';

/** Target `bpf_map_elem`: every element of a hash or array. Source: kernel/bpf/map_iter.c, arraymap.c, hashtab.c. */

const PER_CPU: readonly number[] = [MAP_TYPES.percpu_hash, MAP_TYPES.lru_percpu_hash, MAP_TYPES.percpu_array];
const PLAIN: readonly number[] = [MAP_TYPES.hash, MAP_TYPES.lru_hash, MAP_TYPES.array];
const ARRAYS: readonly number[] = [MAP_TYPES.array, MAP_TYPES.percpu_array];

const isPerCpu = (map: BpfMap): boolean => PER_CPU.includes(map.type);

/** bpf_iter_attach_map: the program may not touch more than keys and values have. */
function attach(host: IterHost, { mapFd = 0 }: IterLinkInfo, program: IterProgram): BpfMap | number {
  if (mapFd === 0) return -ERRNO.EBADF;
  const map = host.map(mapFd);
  if (typeof map === 'number') return map;
  if (!(map instanceof BpfMap)) throw new Bug(`map ${map.name} cannot be walked`);
  if (!PER_CPU.includes(map.type) && !PLAIN.includes(map.type)) return -ERRNO.EINVAL;
  const valueBytes = isPerCpu(map) ? map.userValueSize : map.valueSize;
  return program.keyAccess > map.keySize || program.valueAccess > valueBytes ? -ERRNO.EACCES : map;
}

/** What both kinds of maps have: an element is a key and a value in guest memory, of per-CPU maps copies of all CPUs' values. */
abstract class ElementSequence implements IterSequence {
  protected readonly host: IterHost;
  protected readonly map: BpfMap;
  readonly #session: IterSession;
  readonly #copy: number;

  constructor(host: IterHost, map: BpfMap, session: IterSession) {
    this.host = host;
    this.map = map;
    this.#session = session;
    this.#copy = isPerCpu(map) ? host.memory.allocate(map.userValueSize, { what: `values of map ${map.name}` }) : 0;
  }

  protected abstract readonly current: { readonly key: number; readonly value: number } | null;
  abstract start(position: IterPosition): IterStep;
  abstract next(position: IterPosition): IterStep;

  show(inStop = false): number {
    const { current, map } = this;
    this.#session.setPointer(1, map.offset);
    this.#session.setPointer(2, current?.key ?? 0);
    this.#session.setPointer(3, current === null ? 0 : this.#copy === 0 ? current.value : this.#gather(current.key));
    return this.#session.run(inStop);
  }

  stop(at: IterStep): void {
    if (at === 'end') this.show(true);
  }

  close(): void {
    if (this.#copy !== 0) this.host.memory.free(this.#copy);
  }

  #gather(key: number): number {
    const values = this.map.userLookup(this.host.memory.u8.slice(key, key + this.map.keySize));
    if (typeof values !== 'number') this.host.memory.u8.set(values, this.#copy);
    return this.#copy;
  }
}

class ArraySequence extends ElementSequence {
  readonly #key: number;
  #index = 0;

  constructor(host: IterHost, map: BpfMap, session: IterSession) {
    super(host, map, session);
    this.#key = host.memory.allocate(map.keySize, { what: `index of map ${map.name}`, readOnly: true });
  }

  protected get current(): { key: number; value: number } | null {
    if (this.#index >= this.map.maxEntries) return null;
    this.host.memory.storeI32(this.#key, this.#index);
    return { key: this.#key, value: this.map.lookup(this.#key) };
  }

  start(position: IterPosition): IterStep {
    if (this.#index >= this.map.maxEntries) return 'end';
    if (position.index === 0) position.index++;
    return 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#index++;
    return this.#index >= this.map.maxEntries ? 'end' : 'object';
  }

  override close(): void {
    super.close();
    this.host.memory.free(this.#key);
  }
}

/** Goes on by the number of elements that were shown, as the kernel does within a bucket. */
class HashSequence extends ElementSequence {
  #elements: { readonly key: number; readonly value: number }[] = [];
  #shown = 0;

  protected get current(): { key: number; value: number } | null {
    return this.#elements[this.#shown] ?? null;
  }

  start(position: IterPosition): IterStep {
    const elements: { key: number; value: number }[] = [];
    const collect = (key: number, value: number): number => {
      elements.push({ key, value });
      return 0;
    };
    this.map.forEach(collect);
    this.#elements = elements;
    if (this.current === null) return 'end';
    if (position.index === 0) position.index++;
    return 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#shown++;
    return this.current === null ? 'end' : 'object';
  }
}

export const mapElemRun = iterRun<BpfMap>({
  attach,
  open: (host, map, session) =>
    ARRAYS.includes(map.type) ? new ArraySequence(host, map, session) : new HashSequence(host, map, session),
  fdinfo: (map) => `map_id:\t${map.id}\n`,
  linkInfo: (map) => ({ map_id: map.id }),
});
