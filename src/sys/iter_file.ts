import { ERRNO } from '../contracts/errors.ts';
import type { IterSequence, IterSession, IterStep } from '../contracts/iteration.ts';
import type { RunContext } from '../kernel/context.ts';
import type { Field } from '../kernel/objects/field.ts';
import { Lock } from '../kernel/objects/locks.ts';
import { SEQ_FILES, SeqFile } from '../kernel/seq_file.ts';
import type { LoadedProgram } from './bpf_objects.ts';
import type { System } from './system.ts';

/** MAX_ITER_OBJECTS: objects that one read may pass before it gives up for now. */
const MAX_OBJECTS = 1_000_000;
const WORD_BYTES = 8;
const META = 'bpf_iter_meta';

/**
 * An open iterator: a session of its own, with the program that the link had when it was opened.
 * Source: struct bpf_iter_priv_data and bpf_seq_read, kernel/bpf/bpf_iter.c.
 */
export class IterFile implements IterSession {
  readonly program: LoadedProgram;
  readonly sessionId: number;
  readonly seq: SeqFile;
  /** seq_file.lock: readers of one file take turns */
  readonly lock: Lock;
  readonly #system: System;
  readonly #meta: number;
  readonly #context: RunContext;
  #sequence: IterSequence | null = null;
  readonly #numberField: Field;
  #number = 0;
  #isDone = false;

  /** `words`: arguments of the target's attach function */
  constructor(system: System, program: LoadedProgram, file: number, sessionId: number, words: number) {
    const { objects } = system.kernel;
    this.#system = system;
    this.program = program;
    this.sessionId = sessionId;
    this.seq = new SeqFile(objects, file);
    this.lock = new Lock(`seq_file of iterator session ${sessionId}`);
    system.machine.part(SEQ_FILES).set(this.seq.offset, this.seq);
    this.#meta = objects.create(META);
    objects.field(META, 'seq').setPointer(this.#meta, this.seq.offset);
    this.#numberField = objects.field(META, 'seq_num');
    objects.field(META, 'session_id').set(this.#meta, sessionId);
    const offset = objects.createBytes(words * WORD_BYTES, 'context of an iterator program');
    objects.storePointer(offset, this.#meta);
    this.#context = { offset, accessor: null, packet: null, output: () => null, contextOutput: () => null, release: () => {} };
  }

  get number(): bigint {
    return BigInt(this.#number);
  }

  /** The walk that the target opened for this session. */
  begin(sequence: IterSequence): void {
    this.#sequence = sequence;
  }

  setPointer(word: number, offset: number): void {
    this.#system.kernel.objects.storePointer(this.#context.offset + word * WORD_BYTES, offset);
  }

  setNumber(word: number, value: number): void {
    this.#system.machine.memory.store64(this.#context.offset + word * WORD_BYTES, value | 0, Math.floor(value / 2 ** 32) | 0);
  }

  setLong(word: number, value: number): void {
    if (this.#system.longBytes === WORD_BYTES) return this.setNumber(word, value);
    this.#system.machine.memory.store64(
      this.#context.offset + word * WORD_BYTES,
      value | 0,
      this.#system.machine.random.next() | 0,
    );
  }

  run(inStop = false): number {
    if (inStop && this.#isDone) return 0;
    this.#numberField.set(this.#meta, this.#number);
    return this.#system.execute(this.program, this.#context) === 0n ? 0 : -ERRNO.EAGAIN;
  }

  /** Bytes of a read, or a negative error number. */
  read(size: number): Uint8Array | number {
    this.lock.lock();
    const result = this.#read(size);
    this.lock.unlock();
    return result;
  }

  #read(size: number): Uint8Array | number {
    const { seq } = this;
    if (!seq.hasBuffer) {
      if (this.#system.machine.allocationFails()) return -ERRNO.ENOMEM;
      seq.allocateBuffer();
    }
    if (seq.count > 0) return this.#take(seq.from, size);
    seq.from = 0;
    const sequence = this.#sequence!;
    let step = sequence.start(seq);
    if (typeof step === 'number') {
      sequence.stop(step);
      seq.count = 0;
      return step;
    }
    if (step === 'object') {
      const shown = this.#showFirst(sequence);
      if (shown !== 0) return shown;
      const rest = this.#showRest(sequence, size);
      if (typeof rest === 'object') return rest.error;
      step = rest;
    }
    return this.#finish(sequence, step, size);
  }

  /** 0, or the error that the read ends with. */
  #showFirst(sequence: IterSequence): number {
    const { seq } = this;
    const error = sequence.show();
    if (error > 0) {
      this.#number--;
      seq.count = 0;
      return 0;
    }
    if (error === 0 && !seq.hasOverflowed) return 0;
    sequence.stop('object');
    seq.count = 0;
    return error === 0 ? -ERRNO.E2BIG : error;
  }

  /** Where the walk stands when the read has enough. */
  #showRest(sequence: IterSequence, size: number): IterStep | { readonly error: number } {
    const { seq } = this;
    for (let passed = 1; ; passed++) {
      const before = seq.count;
      const position = seq.index;
      const step = sequence.next(seq);
      if (seq.index === position) {
        this.#system.machine.note('buggy seq_file .next function did not updated position index');
        seq.index++;
      }
      if (step !== 'object') return step;
      this.#number++;
      if (seq.count >= size) return step;
      if (passed >= MAX_OBJECTS) {
        if (before > 0) return step;
        sequence.stop('object');
        return { error: -ERRNO.EAGAIN };
      }
      const error = sequence.show();
      if (error > 0) {
        this.#number--;
        seq.count = before;
      } else if (error < 0 || seq.hasOverflowed) {
        seq.count = before;
        if (before > 0) return step;
        sequence.stop('object');
        return { error: error === 0 ? -ERRNO.E2BIG : error };
      }
    }
  }

  #finish(sequence: IterSequence, step: IterStep, size: number): Uint8Array | number {
    const { seq } = this;
    const before = seq.count;
    if (typeof step === 'number') {
      sequence.stop('end');
      return step;
    }
    sequence.stop(step);
    if (step === 'end') {
      if (!seq.hasOverflowed) this.#isDone = true;
      else {
        seq.count = before;
        if (before === 0) return -ERRNO.E2BIG;
      }
    }
    return this.#take(0, size);
  }

  #take(from: number, size: number): Uint8Array {
    const { seq } = this;
    const length = Math.min(seq.count, size);
    const bytes = seq.take(from, length);
    seq.count -= length;
    seq.from = from + length;
    return bytes;
  }

  release(): void {
    const { objects } = this.#system.kernel;
    this.#sequence?.close?.();
    this.#system.machine.part(SEQ_FILES).delete(this.seq.offset);
    this.seq.release();
    objects.free(this.#meta);
    objects.free(this.#context.offset);
  }
}
