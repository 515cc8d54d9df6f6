import type { Btf } from '../btf/btf.ts';
import type { FuncProtoType } from '../btf/types.ts';
import { Bug, type ErrnoName, Reject } from '../contracts/errors.ts';
import type { HelperProto } from '../contracts/helper.ts';
import type { Kfunc } from '../contracts/kfunc.ts';
import type { Profile } from '../contracts/profile.ts';
import type { ProgType } from '../contracts/prog_type.ts';
import type { StructOpsType } from '../contracts/struct_ops_type.ts';
import type { Capabilities, Subject } from '../contracts/subject.ts';
import type { Insn } from '../isa/insn.ts';
import type { LineInfo, Program } from '../program/program.ts';
import type { Log } from './log/log.ts';
import type { Observer } from './observer.ts';
import type { TargetFunction } from './program/target.ts';
import type { LivenessState } from './prune/liveness.ts';
import type { VisitedStates } from './prune/visited.ts';
import { Frame } from './state/frame.ts';
import type { MapInfo } from './state/map_info.ts';
import type { Reg } from './state/reg.ts';
import { State } from './state/state.ts';

/** What the caller of a function has to provide for one argument (struct bpf_subprog_arg_info). */
export interface SubprogArg {
  /** ARG_* base and flags as a number: index into ARG_BASES plus TYPE_FLAGS */
  argType: number;
  memSize: number;
  btfId: number;
}

/** One function of the program (struct bpf_subprog_info and bpf_func_info_aux). */
export class Subprog {
  start: number;
  /** first row of the program's line info that belongs to it */
  lineInfoIndex = 0;
  postorderStart = 0;
  /** bytes of stack the function uses, as seen so far */
  stackDepth = 0;
  fastcallStackOff = 0;
  keepFastcallStack = false;
  hasTailCall = false;
  tailCallReachable = false;
  hasLdAbs = false;
  isCallback = false;
  isAsyncCallback = false;
  isExceptionCallback = false;
  changesPacketData = false;
  mightSleep = false;
  privateStack: 'unknown' | 'none' | 'adaptive' = 'unknown';
  argsCached = false;
  args: SubprogArg[] = [];
  /** BTF_KIND_FUNC of the function; 0 without func info */
  btfTypeId = 0;
  isGlobal = false;
  /** func_info_aux: its BTF does not match what it does */
  unreliable = false;
  called = false;
  verified = false;
  constructor(start: number) {
    this.start = start;
  }
}

/** A kfunc that the program calls (struct bpf_kfunc_desc). */
export interface KfuncDesc {
  readonly btfId: number;
  readonly name: string;
  readonly proto: FuncProtoType;
  /** null for a kernel function that is no kfunc; calls to it are refused when they are reached */
  readonly entry: Kfunc | null;
}

/** What an `ld_imm64` refers to after resolution. */
export type ImmRef =
  | { readonly kind: 'map'; readonly map: MapInfo }
  | { readonly kind: 'map-value'; readonly map: MapInfo; readonly off: number }
  | { readonly kind: 'btf-var'; readonly regType: number; readonly btf: Btf; readonly btfId: number; readonly memSize: number }
  | { readonly kind: 'func'; readonly subprog: number };

/** Prototype of the attach target (aux->attach_func_proto). */
export interface AttachProto {
  /** BTF that the type ids belong to: the kernel's, or that of the program that is attached to */
  readonly btf: Btf;
  /** BTF_KIND_FUNC_PROTO */
  readonly protoId: number;
  readonly name: string;
  /** the context begins with a pointer to the attached function's arguments array that is not in the prototype (tp_btf) */
  readonly skipFirstArg: boolean;
  /** prog_flags say that arguments may be read only (attach to a BPF program), so they are scalars where BTF is unknown */
  readonly targetIsBpf: boolean;
}

/** One argument of a BTF-described context (struct bpf_ctx_arg_aux): what a load at `off` yields. */
export interface ContextArg {
  readonly off: number;
  readonly regType: number;
  readonly btf: Btf;
  readonly btfId: number;
  readonly refcounted: boolean;
  /** reference that the argument brings, when it is refcounted */
  refObjId: number;
}

/** Facts about single instructions, by slot (struct bpf_insn_aux_data), as flat arrays. */
export class InsnFacts {
  readonly seen: Int32Array;
  readonly jmpPoint: Uint8Array;
  readonly prunePoint: Uint8Array;
  readonly forceCheckpoint: Uint8Array;
  readonly callsCallback: Uint8Array;
  /** calls of callbacks that are explored as plain calls are */
  readonly callsCallbackOnce: Uint8Array;
  /** component of the control-flow graph that loops, 0 for none */
  readonly scc: Int32Array;
  /** bit r: register r may be read before it is written, from here on */
  readonly liveRegsBefore: Uint16Array;
  readonly isIterNext: Uint8Array;
  readonly fastcallPattern: Uint8Array;
  readonly fastcallSpills: Uint8Array;
  /** speculation barrier before, and after, the instruction */
  readonly nospec: Uint8Array;
  readonly nospecResult: Uint8Array;
  /** pointer type that a load or store saw, to refuse a different one on another path */
  readonly ptrType: Int32Array;
  /** alu_state and alu_limit of unprivileged pointer arithmetic */
  readonly aluState: Uint8Array;
  readonly aluLimit: Int32Array;
  readonly immRef: (ImmRef | undefined)[] = [];
  /** state of one call instruction, such as the map it is always given; owned by the call rooms */
  readonly call: (CallFacts | undefined)[] = [];

  constructor(length: number) {
    this.seen = new Int32Array(length);
    this.jmpPoint = new Uint8Array(length);
    this.prunePoint = new Uint8Array(length);
    this.forceCheckpoint = new Uint8Array(length);
    this.callsCallback = new Uint8Array(length);
    this.callsCallbackOnce = new Uint8Array(length);
    this.scc = new Int32Array(length);
    this.liveRegsBefore = new Uint16Array(length);
    this.isIterNext = new Uint8Array(length);
    this.fastcallPattern = new Uint8Array(length);
    this.fastcallSpills = new Uint8Array(length);
    this.nospec = new Uint8Array(length);
    this.nospecResult = new Uint8Array(length);
    this.ptrType = new Int32Array(length);
    this.aluState = new Uint8Array(length);
    this.aluLimit = new Int32Array(length);
  }
}

/** What is remembered of one call instruction between visits. */
export interface CallFacts {
  /** map argument: the one map, or `poison` when paths differ (bpf_map_ptr_state) */
  map: MapInfo | 'poison' | null;
  mapUnprivileged: boolean;
  /** constant key of tail calls: number, `poison`, or null when not seen (map_key_state) */
  key: number | 'poison' | null;
  /** bpf_loop inlining state */
  loopFits: boolean | null;
  loopSubprog: number;
}

export type ProtoLookup = (id: number) => HelperProto | null;

/** One state that waits to be explored (struct bpf_verifier_stack_elem). */
export interface PendingPath {
  readonly state: State;
  readonly insnIdx: number;
  readonly prevInsnIdx: number;
  readonly logPosition: number;
}

/** Licences that the kernel counts as GPL (include/linux/license.h). */
const GPL_LICENSES: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

export interface Flags {
  readonly strictAlignment: boolean;
  readonly testStateFreq: boolean;
  readonly testRegInvariants: boolean;
}

export interface EnvParts {
  readonly profile: Profile;
  readonly program: Program;
  readonly progType: ProgType;
  readonly subject: Subject;
  readonly flags: Flags;
  readonly log: Log;
  readonly budget: number;
  readonly observer?: Observer | undefined;
  readonly prune?: boolean | undefined;
  /** functions of the BPF program that is attached to */
  readonly target: readonly TargetFunction[];
}

/**
 * Everything one verification owns (struct bpf_verifier_env). Rooms are functions over it.
 * `cur` is the state being advanced; write to its frames only through `State.writableFrame`.
 */
export class Env {
  readonly profile: Profile;
  readonly program: Program;
  readonly progType: ProgType;
  readonly subject: Subject;
  readonly caps: Capabilities;
  readonly flags: Flags;
  readonly log: Log;
  /** processed instructions after which the answer is `unknown` */
  readonly budget: number;
  readonly observer: Observer | null;
  /** paths end where a stored state covers them */
  readonly prunes: boolean;
  /** functions of the BPF program that is attached to, the main one first; none without such a program */
  readonly target: readonly TargetFunction[];
  readonly insns: readonly Insn[];
  readonly facts: InsnFacts;
  /** CAP_BPF */
  readonly bpfCapable: boolean;
  /** CAP_PERFMON: pointer comparison, leaks, uninitialised stack, and no Spectre v1/v4 hardening */
  readonly allowPtrLeaks: boolean;
  readonly allowUninitStack: boolean;
  readonly bypassSpecV1: boolean;
  readonly bypassSpecV4: boolean;

  subprogs: Subprog[] = [];
  exceptionCallbackSubprog = 0;
  readonly kfuncs = new Map<number, KfuncDesc>();
  readonly usedMaps: MapInfo[] = [];

  cur: State = new State();
  insnIdx = 0;
  prevInsnIdx = 0;
  /** number of the exploration pass: the main program is 1, each global function adds one */
  passCount = 0;
  readonly pending: PendingPath[] = [];
  idGen = 0;
  seenDirectWrite = false;
  /** unprivileged pointer arithmetic was seen: states match only when their scalars are the same (explore_alu_limits) */
  exploreAluLimits = false;
  seenException = false;
  /** entry of the jump history that the current instruction made, if any */
  curHistory: State['history'][number] | null = null;

  // what the statistics line counts
  insnProcessed = 0;
  prevInsnProcessed = 0;
  jmpsProcessed = 0;
  prevJmpsProcessed = 0;
  maxStatesPerInsn = 0;
  totalStates = 0;
  peakStates = 0;

  /** bit r: register r changed since the last state line; the same for stack slots of the current frame */
  scratchedRegs = 0;
  scratchedSlotsLo = 0;
  scratchedSlotsHi = 0;
  prevLineInfo: LineInfo | null = null;
  /** log position behind the last instruction line, and the length of that line */
  prevLogPosition = 0;
  prevInsnPrintLength = 0;

  /** kernel function, hook or tracepoint that the program attaches to; set by the attach room */
  attachProto: AttachProto | null = null;
  /** the table of functions that a struct_ops program implements a member of */
  structOps: StructOpsType | null = null;
  /** arguments whose types the attach target declares (iterators, struct_ops) */
  contextArgs: ContextArg[] = [];
  /** the one arena map of the program */
  arena: MapInfo | null = null;
  /** first byte of an iterator's key, and of its value, that the program does not touch (aux->max_rdonly_access, max_rdwr_access) */
  maxReadOnlyAccess = 0;
  maxReadWriteAccess = 0;
  /** the same of a buffer that a writable tracepoint passes (max_tp_access), and of the context (max_ctx_offset) */
  maxTracepointAccess = 0;
  maxContextAccess = 0;

  /** owned by the pruning rooms */
  liveness: LivenessState | null = null;
  visited: VisitedStates | null = null;
  concerns: Uint16Array | null = null;
  /** owned by the room of control flow */
  successors: Int32Array | null = null;
  /** instructions in postorder, per subprogram from `postorderStart` on */
  postorder: Int32Array = new Int32Array(0);
  sccCount = 0;

  constructor(parts: EnvParts) {
    const { program } = parts;
    this.profile = parts.profile;
    this.program = program;
    this.subject = parts.subject;
    this.progType = parts.progType;
    this.caps = parts.subject.caps;
    this.flags = parts.flags;
    this.log = parts.log;
    this.budget = parts.budget;
    this.observer = parts.observer ?? null;
    this.prunes = parts.prune ?? true;
    this.target = parts.target;
    this.insns = program.insns;
    this.facts = new InsnFacts(program.insns.length);
    this.bpfCapable = this.caps.bpf;
    this.allowPtrLeaks = this.caps.perfmon;
    this.allowUninitStack = this.caps.perfmon;
    this.bypassSpecV1 = this.caps.perfmon;
    this.bypassSpecV4 = this.caps.perfmon;
  }

  /** license_is_gpl_compatible */
  get isGplCompatible(): boolean {
    return GPL_LICENSES.has(this.program.license);
  }

  get regs(): readonly Reg[] {
    return this.cur.top.regs;
  }

  insn(index: number): Insn {
    const found = this.insns[index];
    if (!found) throw new Bug(`no instruction ${index}`);
    return found;
  }

  /** Writes text to the log (verbose()); `text` carries its own newlines. Kept as the message of a verdict at every level. */
  verbose(text: string): void {
    this.log.verbose(text);
  }

  /** Logs `text` (without newline; one is added) and refuses the program. */
  reject(errno: ErrnoName, text: string): never {
    this.log.verbose(text + '\n');
    throw new Reject(errno, text, this.insnIdx);
  }

  /** Refuses the program without a line of its own. */
  refuse(errno: ErrnoName): never {
    throw new Reject(errno, '', this.insnIdx);
  }

  /** A broken invariant, as verifier_bug() words it. */
  bug(text: string): never {
    throw new Bug(text);
  }

  newId(): number {
    return ++this.idGen;
  }

  scratchReg(regno: number): void {
    this.scratchedRegs |= 1 << regno;
  }

  scratchSlot(spi: number): void {
    if (spi < 32) this.scratchedSlotsLo |= 1 << spi;
    else this.scratchedSlotsHi |= 1 << (spi - 32);
  }

  isSlotScratched(spi: number): boolean {
    return ((spi < 32 ? this.scratchedSlotsLo >>> spi : this.scratchedSlotsHi >>> (spi - 32)) & 1) !== 0;
  }

  /** mark_verifier_state_clean */
  cleanScratches(): void {
    this.scratchedRegs = 0;
    this.scratchedSlotsLo = 0;
    this.scratchedSlotsHi = 0;
  }

  /** mark_verifier_state_scratched */
  scratchAll(): void {
    this.scratchedRegs = -1;
    this.scratchedSlotsLo = -1;
    this.scratchedSlotsHi = -1;
  }

  newFrame(callsite: number, frameno: number, subprogno: number): Frame {
    return new Frame(callsite, frameno, subprogno);
  }
}
