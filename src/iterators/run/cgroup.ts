import { ERRNO } from '../../contracts/errors.ts';
import {
  type IterHost,
  type IterLinkInfo,
  type IterPosition,
  type IterSequence,
  type IterSession,
  type IterStep,
  iterRun,
} from '../../contracts/iteration.ts';
import { type Cgroup, nextDescendantPost, nextDescendantPre } from '../../kernel/objects/cgroups.ts';
import type { Lock } from '../../kernel/objects/locks.ts';
import { kernelOfHost } from './task_selection.ts';

/** enum bpf_cgroup_iter_order; the names are those of fdinfo. */
const ORDERS = ['unspec', 'self_only', 'descendants_pre', 'descendants_post', 'ancestors_up'] as const;
type Order = (typeof ORDERS)[number];

interface Selection {
  readonly start: Cgroup;
  readonly order: Exclude<Order, 'unspec'>;
}

/** bpf_iter_attach_cgroup, kernel/bpf/cgroup_iter.c */
function attach(host: IterHost, { cgroup = {} }: IterLinkInfo): Selection | number {
  const order = ORDERS[cgroup.order ?? 0];
  if (order === undefined || order === 'unspec') return -ERRNO.EINVAL;
  const { fd = 0, id = 0n } = cgroup;
  if (fd !== 0 && id !== 0n) return -ERRNO.EINVAL;
  const { cgroups } = kernelOfHost(host);
  if (fd !== 0) {
    const file = host.file(fd);
    if (file === null) return -ERRNO.EBADF;
    const start = cgroups.ofObject(file.privateData);
    return start === null ? -ERRNO.EBADF : { start, order };
  }
  if (id !== 0n) {
    const start = cgroups.byId(Number(id));
    return start === null || start.isDead ? -ERRNO.ENOENT : { start, order };
  }
  return { start: cgroups.root, order };
}

/**
 * Target `cgroup`. The hierarchy is locked from start to stop, and a walk cannot be taken up again in the middle. A program that
 * answers 1 ends it. Source: kernel/bpf/cgroup_iter.c.
 */
class CgroupSequence implements IterSequence {
  readonly #lock: Lock;
  readonly #selection: Selection;
  readonly #session: IterSession;
  #current: Cgroup | null = null;
  #visitedAll = false;
  #terminate = false;

  constructor(lock: Lock, selection: Selection, session: IterSession) {
    this.#lock = lock;
    this.#selection = selection;
    this.#session = session;
  }

  start(position: IterPosition): IterStep {
    this.#lock.lock();
    if (position.index > 0) return this.#visitedAll ? 'end' : -ERRNO.EOPNOTSUPP;
    position.index++;
    this.#terminate = false;
    this.#visitedAll = false;
    this.#current = this.#step(null);
    return this.#current === null ? 'end' : 'object';
  }

  next(position: IterPosition): IterStep {
    position.index++;
    this.#current = this.#terminate ? null : this.#step(this.#current);
    return this.#current === null ? 'end' : 'object';
  }

  show(inStop = false): number {
    if (this.#current?.isDead === true) return 0;
    this.#session.setPointer(1, this.#current?.offset ?? 0);
    if (this.#session.run(inStop) !== 0) this.#terminate = true;
    return 0;
  }

  stop(at: IterStep): void {
    this.#lock.unlock();
    if (at !== 'end') return;
    this.#current = null;
    this.show(true);
    this.#visitedAll = true;
  }

  #step(from: Cgroup | null): Cgroup | null {
    const { start, order } = this.#selection;
    switch (order) {
      case 'descendants_pre':
        return nextDescendantPre(from, start);
      case 'descendants_post':
        return nextDescendantPost(from, start);
      case 'ancestors_up':
        return from === null ? start : from.parent;
      case 'self_only':
        return from === null ? start : null;
      default:
        return order satisfies never;
    }
  }
}

export const cgroupRun = iterRun<Selection>({
  attach,
  open: (host, selection, session) => new CgroupSequence(kernelOfHost(host).cgroups.mutex, selection, session),
  fdinfo: ({ start, order }) => `cgroup_path:\t${start.path()}\norder: ${order}\n`,
  linkInfo: ({ start, order }) => ({ order: ORDERS.indexOf(order), cgroup_id: start.id }),
});
