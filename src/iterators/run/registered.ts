import {
  type IterHost,
  type IterObject,
  type IterPosition,
  type IterRegistry,
  type IterRun,
  type IterSequence,
  type IterSession,
  type IterStep,
  iterRun,
} from '../../contracts/iteration.ts';

/** Targets that go through objects by id: bpf_map, bpf_prog, bpf_link. Source: kernel/bpf/map_iter.c, prog_iter.c, link_iter.c. */
class RegisteredSequence implements IterSequence {
  readonly #registry: IterRegistry<IterObject>;
  readonly #session: IterSession;
  #id = 0;
  #object: IterObject | null = null;

  constructor(registry: IterRegistry<IterObject>, session: IterSession) {
    this.#registry = registry;
    this.#session = session;
  }

  #find(): IterStep {
    this.#object = this.#registry.from(this.#id);
    if (this.#object === null) return 'end';
    this.#id = this.#object.id;
    return 'object';
  }

  start(position: IterPosition): IterStep {
    const found = this.#find();
    if (found === 'object' && position.index === 0) position.index++;
    return found;
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#id++;
    return this.#find();
  }

  show(inStop = false): number {
    this.#session.setPointer(1, this.#object?.offset ?? 0);
    return this.#session.run(inStop);
  }

  stop(at: IterStep): void {
    if (at === 'end') this.show(true);
    this.#object = null;
  }
}

export const registeredRun = (registryOf: (host: IterHost) => IterRegistry<IterObject>): IterRun =>
  iterRun<null>({
    attach: () => null,
    open: (host, _subject, session) => new RegisteredSequence(registryOf(host), session),
  });
