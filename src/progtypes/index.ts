/** Every program type, and libbpf's lookup of section names. */
import type { ProgType, SectionRule } from '../contracts/prog_type.ts';
import { cgroupDevice, cgroupSock, cgroupSockAddr, cgroupSockopt, cgroupSysctl } from './cgroup.ts';
import {
  cgroupSkb,
  flowDissector,
  lwtIn,
  lwtOut,
  lwtSeg6local,
  lwtXmit,
  schedAct,
  schedCls,
  skSkb,
  socketFilter,
} from './skb.ts';
import { skLookup, skMsg, skReuseport, sockOps } from './socket.ts';
import { lircMode2, netfilter, syscall } from './system.ts';
import { kprobe, perfEvent, rawTracepoint, rawTracepointWritable, tracepoint, tracing } from './tracing.ts';
import { ext, lsm, structOps } from './trampoline.ts';
import { xdp } from './xdp.ts';

/** In the order of their ids. */
export const PROG_TYPES: readonly ProgType[] = [
  socketFilter,
  kprobe,
  schedCls,
  schedAct,
  tracepoint,
  xdp,
  perfEvent,
  cgroupSkb,
  cgroupSock,
  lwtIn,
  lwtOut,
  lwtXmit,
  sockOps,
  skSkb,
  cgroupDevice,
  skMsg,
  rawTracepoint,
  cgroupSockAddr,
  lwtSeg6local,
  lircMode2,
  skReuseport,
  flowDissector,
  cgroupSysctl,
  rawTracepointWritable,
  cgroupSockopt,
  tracing,
  structOps,
  ext,
  lsm,
  skLookup,
  syscall,
  netfilter,
];

export const PROG_TYPES_BY_ID: ReadonlyMap<number, ProgType> = new Map(PROG_TYPES.map((entry) => [entry.id, entry]));
export const PROG_TYPES_BY_NAME: ReadonlyMap<string, ProgType> = new Map(PROG_TYPES.map((entry) => [entry.name, entry]));

export interface SectionMatch {
  readonly progType: ProgType;
  readonly rule: SectionRule;
  /** what follows the `/` after the rule's name; null without it */
  readonly extras: string | null;
}

function matches(rule: SectionRule, name: string): boolean {
  if (name === rule.section) return true;
  return rule.extras && name.startsWith(`${rule.section}/`);
}

/**
 * The program type of an ELF section, as libbpf finds it (find_sec_def, tools/lib/bpf/libbpf.c); null for a section that
 * holds no program. A leading `?` ("do not load by default") must be taken off before.
 */
export function findSection(name: string, progTypes: Iterable<ProgType> = PROG_TYPES): SectionMatch | null {
  for (const progType of progTypes) {
    for (const rule of progType.sections) {
      if (!matches(rule, name)) continue;
      const extras = name.length > rule.section.length ? name.slice(rule.section.length + 1) : null;
      return { progType, rule, extras };
    }
  }
  return null;
}

export { pointerStructAccess } from './socket_pointers.ts';
export { STRUCT_OPS_TYPES } from './struct_ops_types.ts';
export { checkStructWrite } from './struct_writes.ts';
