import type { HostCall, PartKey } from '../contracts/host_call.ts';

/** What waits for readers: freed when the RCU section that goes on now is over. */
class Deferred {
  #actions: (() => void)[] = [];

  add(action: () => void): void {
    this.#actions.push(action);
  }

  run(): void {
    for (const action of this.#actions.splice(0)) action();
  }
}

const DEFERRED: PartKey<Deferred> = { name: 'callbacks of RCU', create: () => new Deferred() };

/**
 * call_rcu(): a program that may not sleep is one section from its first to its last instruction; in one that may, the section
 * ends with bpf_rcu_read_unlock(), and outside of it nothing is protected.
 */
export function callRcu(call: HostCall, action: () => void): void {
  const { sleepable, rcuDepth } = call.state;
  if (!sleepable) return call.afterRcu(action);
  if (rcuDepth === 0) action();
  else call.part(DEFERRED).add(action);
}

export function rcuReadLock(call: HostCall): void {
  call.state.rcuDepth++;
}

export function rcuReadUnlock(call: HostCall): void {
  call.state.rcuDepth--;
  if (call.state.rcuDepth === 0) call.part(DEFERRED).run();
}
