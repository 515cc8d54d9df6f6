import type { HostSymbol } from '../../contracts/host_symbols.ts';
import {
  type IterHost,
  type IterPosition,
  type IterSequence,
  type IterSession,
  type IterStep,
  iterRun,
} from '../../contracts/iteration.ts';
import type { KernelObjects } from '../../kernel/objects/kernel_objects.ts';
import { kernelOfHost } from './task_selection.ts';

const ITER = 'kallsym_iter';
/** What stands where the name of a module would, behind the core of the kernel. */
const OF_PROGRAMS = 'bpf';
const OF_PROBES = '__builtin__kprobes';

/**
 * Target `ksym`: functions of the kernel, then loaded programs. All of it goes on in one `struct kallsym_iter`, and the program
 * gets that at the end too: with the last symbol in it, under the name of the section that comes last. Of the core `pos` is the
 * number of the next symbol, behind it that of the symbol itself.
 * Differs from the kernel: functions are those that BTF knows, all local (`t`); there are no modules and no probes.
 * Source: kernel/kallsyms.c.
 */
class SymbolSequence implements IterSequence {
  readonly #host: IterHost;
  readonly #session: IterSession;
  readonly #objects: KernelObjects;
  readonly #iter: number;

  constructor(host: IterHost, session: IterSession) {
    this.#host = host;
    this.#session = session;
    this.#objects = kernelOfHost(host).objects;
    this.#iter = this.#objects.create(ITER);
    this.#set('show_value', 1);
  }

  #set(field: string, value: number | bigint): void {
    this.#objects.field(ITER, field).set(this.#iter, value);
  }

  #setModule(name: string): void {
    this.#objects.field(ITER, 'module_name').setText(this.#iter, name);
  }

  #show({ name, lo, hi }: HostSymbol): IterStep {
    this.#set('value', (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0));
    this.#set('type', 't'.charCodeAt(0));
    this.#objects.field(ITER, 'name').setText(this.#iter, name);
    return 'object';
  }

  /** update_iter */
  #update(index: number): IterStep {
    const { symbols, programSymbols } = this.#host;
    if (index < symbols.count) {
      this.#set('pos', index + 1);
      this.#setModule('');
      return this.#show(symbols.at(index));
    }
    this.#set('pos', index);
    this.#set('exported', 0);
    this.#set('pos_mod_end', symbols.count);
    this.#set('pos_ftrace_mod_end', symbols.count);
    const program = programSymbols[index - symbols.count];
    this.#setModule(program === undefined ? OF_PROBES : OF_PROGRAMS);
    if (program !== undefined) return this.#show(program);
    this.#set('pos_bpf_end', symbols.count + programSymbols.length);
    return 'end';
  }

  start({ index }: IterPosition): IterStep {
    return this.#update(index);
  }

  next(position: IterPosition): IterStep {
    position.index++;
    return this.#update(position.index);
  }

  show(inStop = false): number {
    this.#session.setPointer(1, this.#iter);
    return this.#session.run(inStop);
  }

  stop(at: IterStep): void {
    if (at === 'end') this.show(true);
  }

  close(): void {
    this.#objects.free(this.#iter);
  }
}

export const ksymRun = iterRun<null>({
  attach: () => null,
  open: (host, _subject, session) => new SymbolSequence(host, session),
});
