import type { Btf } from '../btf/btf.ts';
import { type Expectation, PROG_FLAGS } from '../program/program.ts';
import { messagePattern } from './message_pattern.ts';

/** What the declaration tags of an annotated program say. */
export interface Annotation {
  readonly expectation: Expectation | null;
  /** PROG_FLAGS that the tags add to those of the section */
  readonly setFlags: number;
}

/** One side (privileged or not) of what a test expects. */
interface Side {
  verdict: 'accept' | 'reject' | null;
  returns: number | null;
  readonly messages: string[];
  readonly notMessages: string[];
  readonly notMessagesAfter: number[];
  readonly unchecked: Set<string>;
  /** some tag speaks of this side */
  isNamed: boolean;
}

const side = (): Side => ({
  verdict: null,
  returns: null,
  messages: [],
  notMessages: [],
  notMessagesAfter: [],
  unchecked: new Set(),
  isNamed: false,
});

const TEST_PREFIX = 'comment:test_';
const LOAD_MODE_PREFIX = 'comment:load_mode=';
const UNPRIVILEGED = '_unpriv';
const THIS_ARCHITECTURE = 'X86_64';

/** Flags that tests are loaded with unless a tag clears them (testing_prog_flags, tools/testing/selftests/bpf/testing_helpers.c). */
const TEST_FLAGS = PROG_FLAGS.BPF_F_TEST_RND_HI32 | PROG_FLAGS.BPF_F_TEST_REG_INVARIANTS;

/** Numbers of capabilities, include/uapi/linux/capability.h. */
const CAPABILITY_NAMES: Readonly<Record<string, string>> = {
  12: 'CAP_NET_ADMIN',
  21: 'CAP_SYS_ADMIN',
  38: 'CAP_PERFMON',
  39: 'CAP_BPF',
};

/** A number as parse_int and parse_retval read it; null for anything else. */
function number(text: string): number | null {
  if (text === '_INT_MIN') return -0x8000_0000;
  return /^-?(0x[0-9a-fA-F]+|[0-9]+)$/.test(text) ? (text.startsWith('-') ? -Number(text.slice(1)) : Number(text)) | 0 : null;
}

/** `BPF_F_…` or a number, with a leading `!` to clear it. */
function flag(text: string): { readonly bits: number; readonly clears: boolean } {
  const clears = text.startsWith('!');
  const name = clears ? text.slice(1) : text;
  return { bits: (PROG_FLAGS as Readonly<Record<string, number>>)[name] ?? number(name) ?? 0, clears };
}

/** `=COUNTER=text` carries a number that keeps equal tags apart. */
const afterCounter = (text: string): string => text.slice(text.indexOf('=') + 1);

/** What the tags of a program add up to. */
class TagReader {
  readonly privileged = side();
  readonly unprivileged = side();
  readonly #architectures: string[] = [];
  #description: string;
  #logLevel = 0;
  #setFlags = 0;
  #flags = TEST_FLAGS;
  #caps: string[] = [];
  #isAuxiliary = false;
  #isTest = false;
  #skip: string | null = null;

  constructor(program: string) {
    this.#description = program;
  }

  read(tag: string): void {
    if (tag.startsWith(LOAD_MODE_PREFIX)) {
      const mode = tag.slice(LOAD_MODE_PREFIX.length);
      if (mode !== 'jited') this.#skip = `only for load mode ${mode}`;
      return;
    }
    if (!tag.startsWith(TEST_PREFIX)) return;
    this.#isTest = true;
    const text = tag.slice(TEST_PREFIX.length);
    const equals = text.indexOf('=');
    const key = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? '' : text.slice(equals + 1);
    const isUnprivileged = key.endsWith(UNPRIVILEGED);
    const about = isUnprivileged ? this.unprivileged : this.privileged;
    this.#read(isUnprivileged ? key.slice(0, -UNPRIVILEGED.length) : key, value, about);
  }

  #read(key: string, value: string, about: Side): void {
    switch (key) {
      case 'expect_success':
        about.verdict = 'accept';
        about.isNamed = true;
        break;
      case 'expect_failure':
        about.verdict = 'reject';
        about.isNamed = true;
        break;
      case 'expect_msg':
        about.messages.push(messagePattern(afterCounter(value)));
        about.isNamed = true;
        break;
      case 'expect_not_msg':
        about.notMessages.push(messagePattern(afterCounter(value)));
        about.notMessagesAfter.push(about.messages.length);
        about.isNamed = true;
        break;
      case 'expect_xlated':
        about.unchecked.add('xlated');
        about.isNamed = true;
        break;
      case 'jited':
        if (this.#architectures.at(-1) !== THIS_ARCHITECTURE) break;
        about.unchecked.add('jited');
        about.isNamed = true;
        break;
      case 'expect_stderr':
      case 'expect_stdout':
        about.unchecked.add(key.slice('expect_'.length));
        break;
      case 'retval':
        about.returns = number(value);
        about.isNamed = true;
        break;
      case 'caps':
        this.#caps = value.split('|').map((name) => CAPABILITY_NAMES[name] ?? `capability ${name}`);
        about.isNamed = true;
        break;
      case 'auxiliary':
        this.#isAuxiliary = true;
        break;
      case 'description':
        this.#description = value;
        break;
      case 'log_level':
        this.#logLevel = number(value) ?? 0;
        break;
      case 'prog_flags': {
        const { bits, clears } = flag(value);
        this.#setFlags = clears ? this.#setFlags & ~bits : this.#setFlags | bits;
        this.#flags = clears ? this.#flags & ~bits : this.#flags | bits;
        break;
      }
      case 'arch':
        this.#architectures.push(value);
        break;
      case 'btf_path':
        this.#skip = `needs the BTF in ${value}`;
        break;
    }
  }

  annotation(): Annotation {
    const setFlags = this.#setFlags;
    const { privileged, unprivileged } = this;
    if (!this.#isTest || this.#isAuxiliary) return { expectation: null, setFlags };
    const isPrivileged = privileged.isNamed || !unprivileged.isNamed;
    const without = unprivileged.isNamed ? { ...this.#expect(unprivileged), caps: this.#caps, unprivileged: null } : null;
    const main = this.#expect(privileged);
    return { expectation: { ...main, verdict: isPrivileged ? main.verdict : null, unprivileged: without }, setFlags };
  }

  /** What one side does not say, the privileged side says. */
  #expect(from: Side): Omit<Expectation, 'unprivileged'> {
    const fallback = this.privileged;
    const about = from.messages.length + from.notMessages.length > 0 ? from : fallback;
    const unchecked = new Set([...fallback.unchecked, ...from.unchecked]);
    const foreign = this.#architectures.length > 0 && !this.#architectures.includes(THIS_ARCHITECTURE);
    return {
      verdict: from.verdict ?? fallback.verdict ?? 'accept',
      messages: about.messages,
      notMessages: about.notMessages,
      notMessagesAfter: about.notMessagesAfter,
      errno: null,
      logLevel: this.#logLevel,
      flags: this.#flags,
      caps: [],
      returns: from.returns ?? fallback.returns,
      unchecked: [...unchecked],
      skip: foreign ? `only for ${this.#architectures.join(', ')}` : this.#skip,
      description: this.#description,
    };
  }
}

/**
 * The expectations in a function's declaration tags, as the kernel's own tests write them (`__success`, `__msg`, `__flag`, …).
 * Source: parse_test_spec, tools/testing/selftests/bpf/test_loader.c.
 */
export function readAnnotations(btf: Btf | null, program: string): Annotation {
  const reader = new TagReader(program);
  const fn = btf?.findByName(program, 'FUNC');
  if (fn !== undefined) for (const tag of btf!.declTags(fn.id)) if (tag.componentIdx === -1) reader.read(tag.name);
  return reader.annotation();
}
