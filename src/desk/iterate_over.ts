import { Malformed } from '../contracts/errors.ts';
import { CGROUP_ORDERS, type CgroupOrder, type IterateOver, type Place } from './iterate.ts';

const KEYS = 'tid, pid, map, cgroup, order, io_uring or epoll';

function numberOf(text: string, key: string): number {
  if (!/^\d+$/.test(text)) throw new Malformed(`${key}=N takes a number, not '${text}'`);
  return Number(text);
}

/** A descriptor of a process: `PID/FD`. */
export function readPlace(text: string): Place {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  if (match === null) throw new Malformed(`a descriptor is PID/FD, not '${text}'`);
  return { pid: Number(match[1]), fd: Number(match[2]) };
}

/** Reads `KEY=VALUE` texts. Throws `Malformed`. */
export function readOver(texts: readonly string[]): IterateOver {
  let over: IterateOver = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = text.slice(0, Math.max(equals, 0));
    const value = text.slice(equals + 1);
    switch (key) {
      case 'tid':
      case 'pid':
        over = { ...over, [key]: numberOf(value, key) };
        break;
      case 'map':
      case 'cgroup':
        over = { ...over, [key]: value };
        break;
      case 'order':
        if (!(CGROUP_ORDERS as readonly string[]).includes(value)) {
          throw new Malformed(`no order '${value}': ${CGROUP_ORDERS.join(', ')}`);
        }
        over = { ...over, order: value as CgroupOrder };
        break;
      case 'io_uring':
        over = { ...over, ioUring: readPlace(value) };
        break;
      case 'epoll':
        over = { ...over, epoll: readPlace(value) };
        break;
      default:
        throw new Malformed(`what is walked is KEY=VALUE with ${KEYS}, not '${text}'`);
    }
  }
  return over;
}
