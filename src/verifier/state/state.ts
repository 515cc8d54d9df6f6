import type { Btf } from '../../btf/btf.ts';
import { Bug } from '../../contracts/errors.ts';
import type { Frame } from './frame.ts';
import type { MapInfo } from './map_info.ts';

/** Kinds of acquired references (enum ref_state_type). */
export const REF_TYPE_PTR = 1 << 1;
export const REF_TYPE_IRQ = 1 << 2;
export const REF_TYPE_LOCK = 1 << 3;
export const REF_TYPE_RES_LOCK = 1 << 4;
export const REF_TYPE_RES_LOCK_IRQ = 1 << 5;
export const REF_TYPE_LOCK_MASK = REF_TYPE_LOCK | REF_TYPE_RES_LOCK | REF_TYPE_RES_LOCK_IRQ;

/** One acquired reference, lock or irq section (struct bpf_reference_state). Immutable. */
export interface Ref {
  readonly type: number;
  readonly id: number;
  /** where it was acquired, for the message about a leak */
  readonly insnIdx: number;
  /** what a lock belongs to: its map or the BTF of its object */
  readonly ptr: MapInfo | Btf | null;
}

/** INSN_F_* of the jump history, include/linux/bpf_verifier.h. */
export const INSN_F_FRAMENO_MASK = 0x7;
export const INSN_F_SPI_MASK = 0x3f;
export const INSN_F_SPI_SHIFT = 3;
export const INSN_F_STACK_ACCESS = 1 << 9;
export const INSN_F_DST_REG_STACK = 1 << 10;
export const INSN_F_SRC_REG_STACK = 1 << 11;

/**
 * An instruction that precision tracking must know about on the way back (struct bpf_jmp_history_entry).
 * `linkedRegs` lists the registers and slots that a comparison refined together, see the linked-registers room.
 */
export interface HistoryEntry {
  idx: number;
  prevIdx: number;
  flags: number;
  linkedRegs: readonly LinkedReg[] | null;
}

export interface LinkedReg {
  readonly frameno: number;
  /** register number, or slot number when `isReg` is false */
  readonly index: number;
  readonly isReg: boolean;
}

/**
 * State of the whole program at one point of one path (struct bpf_verifier_state).
 * Copying is cheap: frames are shared until written, see `writableFrame`.
 */
export class State {
  frames: Frame[];
  parent: State | null = null;
  refs: readonly Ref[] = [];
  /** unexplored paths that start from here or from a child */
  branches = 0;
  insnIdx = 0;
  curframe = 0;
  acquiredRefs = 0;
  activeLocks = 0;
  activePreemptLocks = 0;
  activeIrqId = 0;
  activeLockId = 0;
  activeLockPtr: MapInfo | Btf | null = null;
  /** nesting is not allowed, so a flag (active_rcu_lock) */
  activeRcuLock = false;
  speculative = false;
  inSleepable = false;
  cleaned = false;
  firstInsnIdx = 0;
  lastInsnIdx = 0;
  /** a visited state that this one was found equal to inside a loop */
  equalState: State | null = null;
  history: HistoryEntry[];
  dfsDepth = 0;
  callbackUnrollDepth = 0;
  mayGotoDepth = 0;
  /** belongs to whoever watches the exploration; copies inherit it */
  trail: unknown = null;

  constructor(frames: Frame[] = [], history: HistoryEntry[] = []) {
    this.frames = frames;
    this.history = history;
  }

  get top(): Frame {
    return this.frames[this.curframe] as Frame;
  }

  frame(frameno: number): Frame {
    const frame = this.frames[frameno];
    if (!frame) throw new Bug(`no frame ${frameno}`);
    return frame;
  }

  /** The frame, owned by this state alone, for writing. */
  writableFrame(frameno: number): Frame {
    const frame = this.frame(frameno);
    if (!frame.shared) return frame;
    const copy = frame.clone();
    this.frames[frameno] = copy;
    return copy;
  }

  writableTop(): Frame {
    return this.writableFrame(this.curframe);
  }

  /** copy_verifier_state: everything but `parent` chain bookkeeping of the target is taken over. */
  copy(): State {
    for (let i = 0; i <= this.curframe; i++) (this.frames[i] as Frame).shared = true;
    const copy = new State(this.frames.slice(0, this.curframe + 1), this.history.slice());
    copy.parent = this.parent;
    copy.refs = this.refs;
    copy.branches = this.branches;
    copy.insnIdx = this.insnIdx;
    copy.curframe = this.curframe;
    copy.acquiredRefs = this.acquiredRefs;
    copy.activeLocks = this.activeLocks;
    copy.activePreemptLocks = this.activePreemptLocks;
    copy.activeIrqId = this.activeIrqId;
    copy.activeLockId = this.activeLockId;
    copy.activeLockPtr = this.activeLockPtr;
    copy.activeRcuLock = this.activeRcuLock;
    copy.speculative = this.speculative;
    copy.inSleepable = this.inSleepable;
    copy.cleaned = this.cleaned;
    copy.firstInsnIdx = this.firstInsnIdx;
    copy.lastInsnIdx = this.lastInsnIdx;
    copy.equalState = this.equalState;
    copy.dfsDepth = this.dfsDepth;
    copy.callbackUnrollDepth = this.callbackUnrollDepth;
    copy.mayGotoDepth = this.mayGotoDepth;
    copy.trail = this.trail;
    return copy;
  }
}
