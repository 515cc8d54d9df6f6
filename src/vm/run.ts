import { ERRNO, errnoName, type Fault, Malformed } from '../contracts/errors.ts';
import type { Outcome } from '../contracts/host_call.ts';
import type { Profile } from '../contracts/profile.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import type { RunContext } from '../kernel/context.ts';
import { plainContext } from '../kernel/plain_context.ts';
import { skbContext } from '../kernel/skb_context.ts';
import { xdpContext } from '../kernel/xdp_context.ts';
import type { BpfMap } from '../maps/bpf_map.ts';
import { MapOfMaps, ProgArrayMap } from '../maps/reference_maps.ts';
import { type ObjectImage, PROG_FLAGS, type Program } from '../program/program.ts';
import type { StepHook } from './engine.ts';
import type { LoadOptions } from './loader.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { returnName } from './return_names.ts';
import type { Note } from './run_report.ts';

/** Instructions that a run may take unless told otherwise. */
const DEFAULT_BUDGET = 500_000_000;
/** Context bytes of programs whose argument is an array of slots of unknown length: MAX_BPF_FUNC_REG_ARGS and more. */
const SLOT_CONTEXT_BYTES = 128;
/** An Ethernet frame of the smallest length, all zero, where no packet is given. */
const DEFAULT_PACKET_BYTES = 64;

export interface RunOptions extends LoadOptions {
  /** packet bytes from the Ethernet header on, for program types that run on packets */
  readonly data?: Uint8Array;
  /** `struct xdp_md` or `struct __sk_buff` as BPF_PROG_TEST_RUN takes it; the context itself for other program types */
  readonly context?: Uint8Array;
  /** bytes of the packet that are linear; default all */
  readonly linear?: number;
  /** most instructions that may be run; a `budget` fault beyond */
  readonly budget?: number;
  /** called before each instruction */
  readonly trace?: StepHook;
  /** `onBreak` is called before the instructions of these slots of the program */
  readonly breakpoints?: ReadonlySet<number>;
  readonly onBreak?: StepHook;
  /** count how often each slot of the program runs */
  readonly coverage?: boolean;
  /** told each message of bpf_trace_printk and its kin as it comes */
  readonly onPrintk?: (text: string) => void;
  /** return value that a cgroup hook passes along before the program runs */
  readonly retval?: number;
  /** nanoseconds to let pass when the program has ended, for what it leaves to timers and work queues; default none */
  readonly wait?: bigint;
}

export interface Run {
  /** r0, unsigned */
  readonly result: bigint;
  /** what the result is called for the program's type: XDP_PASS, TC_ACT_SHOT; null where it has no name */
  readonly returned: string | null;
  readonly output: {
    /** packet as the program left it (metadata in front), from the Ethernet header on; flow keys of a flow dissector; null without */
    readonly data: Uint8Array | null;
    /** context struct as BPF_PROG_TEST_RUN gives it back; the context bytes for other program types; null without */
    readonly context: Uint8Array | null;
  };
  /** redirects, perf and ring buffer records, signals, in the order in which they were asked for */
  readonly outcomes: readonly Outcome[];
  readonly printk: readonly string[];
  /** why the run ended early; null when it did not */
  readonly fault: Fault | null;
  readonly notes: readonly Note[];
  /** by slot of the program; null unless asked for */
  readonly coverage: Float64Array | null;
  readonly stats: {
    readonly instructions: number;
    /** helper and kfunc calls */
    readonly calls: number;
    /** modelled time */
    readonly nanoseconds: bigint;
  };
}

const PACKET_TYPES_WITH_LINK_LAYER: ReadonlySet<number> = new Set([
  PROG_TYPES.sched_cls,
  PROG_TYPES.sched_act,
  PROG_TYPES.sk_skb,
]);
const SKB_TYPES: ReadonlySet<number> = new Set([
  ...PACKET_TYPES_WITH_LINK_LAYER,
  PROG_TYPES.socket_filter,
  PROG_TYPES.cgroup_skb,
  PROG_TYPES.lwt_in,
  PROG_TYPES.lwt_out,
  PROG_TYPES.lwt_xmit,
  PROG_TYPES.lwt_seg6local,
  PROG_TYPES.flow_dissector,
]);

/** Whether programs of this type run on a packet. */
export const runsOnPacket = (progType: number): boolean => progType === PROG_TYPES.xdp || SKB_TYPES.has(progType);

/** Runs a program in a machine that lives on: maps, time and random numbers go on from the last run. */
export function runIn(machine: Machine, program: Program, options: RunOptions = {}): Run {
  const code = machine.load(program, options);
  const context = newContext(machine, program, options);
  const coverage = options.coverage === true ? new Float64Array(program.insns.length) : null;
  const report = machine.newReport(options.onPrintk ?? null);
  const start = machine.clock.nanoseconds;
  const done = machine.execute({
    code,
    context,
    report,
    budget: options.budget ?? DEFAULT_BUDGET,
    step: stepHook(program, options, coverage),
    retval: options.retval ?? 0,
  });
  const output = { data: context.output(), context: context.contextOutput() };
  const later = done.fault === null && options.wait !== undefined ? machine.advance(options.wait) : null;
  const fault = done.fault ?? later;
  const result = (BigInt(done.hi >>> 0) << 32n) | BigInt(done.lo >>> 0);
  const type = program.type === PROG_TYPES.ext ? (program.attach?.program?.type ?? program.type) : program.type;
  const run: Run = {
    result,
    returned: fault === null ? returnName(type, done.lo) : null,
    output,
    outcomes: report.outcomes,
    printk: report.printed,
    fault,
    notes: report.notes,
    coverage,
    stats: {
      instructions: done.instructions,
      calls: done.calls,
      nanoseconds: machine.clock.nanoseconds - start,
    },
  };
  const socket = context.packet?.skb?.sk ?? 0;
  context.release();
  // the socket of a test run goes with it (sk_free in bpf_prog_test_run_skb)
  if (socket !== 0) for (const map of machine.maps.all) map.ownerGone(socket);
  return run;
}

/** Runs a program once in a machine of its own. `object` resolves the programs and maps that its maps refer to by name. */
export function run(
  program: Program,
  profile: Profile,
  options: RunOptions & { readonly machine?: MachineOptions; readonly object?: ObjectImage } = {},
): Run & { readonly machine: Machine } {
  const machine = new Machine(profile, options.machine);
  if (options.object !== undefined) fillSlots(machine, program, options.object);
  return { ...runIn(machine, program, options), machine };
}

/** Puts the declared programs and inner maps into the slots of the program's maps, as libbpf does. */
export function fillSlots(machine: Machine, program: Program, object: ObjectImage): void {
  const filled = new Set<BpfMap>();
  const fill = (def: Program['maps'][number]): void => {
    if (def.slots.length === 0) return;
    const map = machine.maps.of(def);
    if (filled.has(map)) return;
    filled.add(map);
    for (const slot of def.slots) {
      const error = fillSlot(machine, map, slot.index, slot.name, object);
      if (error !== 0) {
        throw new Malformed(`slot ${slot.index} of map ${def.name} cannot hold ${slot.name}: ${errnoName(-error)}`, object.name);
      }
      const target = slot.kind === 'program' ? object.programs.find((candidate) => candidate.name === slot.name) : undefined;
      for (const inner of target?.maps ?? []) fill(inner);
    }
  };
  for (const def of program.maps) fill(def);
}

const fillSlot = (machine: Machine, map: BpfMap, index: number, name: string, object: ObjectImage): number => {
  if (map instanceof ProgArrayMap) {
    const target = object.programs.find((program) => program.name === name);
    return target === undefined ? -ERRNO.EINVAL : map.setProgram(index, target);
  }
  if (map instanceof MapOfMaps) {
    const inner = object.maps.find((def) => def.name === name);
    const key = new Uint8Array(map.keySize);
    new DataView(key.buffer).setUint32(0, index, true);
    return inner === undefined ? -ERRNO.EINVAL : map.setInner(key, machine.maps.of(inner));
  }
  return -ERRNO.EINVAL;
};

const newContext = (machine: Machine, program: Program, options: RunOptions): RunContext => {
  const built = buildContext(machine, program, options);
  if (typeof built !== 'number') return built;
  throw new Malformed(`the kernel refuses this input of a test run: ${errnoName(-built)}`);
};

const buildContext = (machine: Machine, program: Program, options: RunOptions): RunContext | number => {
  const { memory, profile } = machine;
  const { type } = program.type === PROG_TYPES.ext ? (program.attach?.program ?? program) : program;
  const data = options.data ?? new Uint8Array(DEFAULT_PACKET_BYTES);
  const context = options.context ?? null;
  if (type === PROG_TYPES.xdp) {
    return xdpContext(memory, { data, context, frags: (program.flags & PROG_FLAGS.BPF_F_XDP_HAS_FRAGS) !== 0 });
  }
  if (SKB_TYPES.has(type)) {
    return skbContext(memory, {
      data,
      context,
      seesLinkLayer: PACKET_TYPES_WITH_LINK_LAYER.has(type),
      flowKeys: type === PROG_TYPES.flow_dissector,
      ...(options.linear === undefined ? {} : { linear: options.linear }),
    });
  }
  const known = profile.progTypes.get(type);
  const least = known?.contextSize || (known?.contextKind === 'buffer' ? 0 : SLOT_CONTEXT_BYTES);
  return plainContext(memory, context ?? new Uint8Array(0), least);
};

const stepHook = (program: Program, options: RunOptions, coverage: Float64Array | null): StepHook | null => {
  const { trace, breakpoints, onBreak } = options;
  if (trace === undefined && coverage === null && (breakpoints === undefined || onBreak === undefined)) return null;
  return (code, slot, registers, depth) => {
    if (coverage !== null && code.program === program) coverage[slot]!++;
    trace?.(code, slot, registers, depth);
    if (code.program === program && breakpoints?.has(slot) === true) onBreak?.(code, slot, registers, depth);
  };
};
