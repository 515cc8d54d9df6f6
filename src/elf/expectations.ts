import type { Btf } from '../btf/btf.ts';
import { type Expectation, PROG_FLAGS } from '../program/program.ts';

/** What the declaration tags of an annotated program say. */
export interface Annotation {
  readonly expectation: Expectation | null;
  /** PROG_FLAGS to add to those of the section, and to leave out */
  readonly setFlags: number;
}

/** One side (privileged or not) of what a test expects. */
interface Side {
  verdict: 'accept' | 'reject' | null;
  returns: number | null;
  readonly messages: string[];
  readonly notMessages: string[];
  /** some tag speaks of this side */
  isNamed: boolean;
}

const side = (): Side => ({ verdict: null, returns: null, messages: [], notMessages: [], isNamed: false });

const PREFIX = 'comment:test_';
const REGEX_CHARACTERS = /[.[\]\\()*+?{}|^$/]/g;

/**
 * A pattern is verbatim text with regular expressions in double braces; one that has such becomes `/regex/`.
 * Source: compile_regex, tools/testing/selftests/bpf/test_loader.c.
 */
export function messagePattern(text: string): string {
  if (!text.includes('{{')) return text;
  let out = '';
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    if (open === -1) return `/${out}${text.slice(at).replace(REGEX_CHARACTERS, '\\$&')}/`;
    const close = text.indexOf('}}', open + 2);
    if (close === -1) return text;
    out += text.slice(at, open).replace(REGEX_CHARACTERS, '\\$&') + text.slice(open + 2, close).replaceAll('/', '\\/');
    at = close + 2;
  }
  return `/${out}/`;
}

/** A number as parse_int and parse_retval read it; null for anything else. */
function number(text: string): number | null {
  if (text === '_INT_MIN') return -0x8000_0000;
  return /^-?(0x[0-9a-fA-F]+|[0-9]+)$/.test(text) ? (text.startsWith('-') ? -Number(text.slice(1)) : Number(text)) | 0 : null;
}

/** `=COUNTER=text` carries a number that keeps equal tags apart. */
const afterCounter = (text: string): string => text.slice(text.indexOf('=') + 1);

/**
 * The expectations in a function's declaration tags, as the kernel's own tests write them (`__success`, `__msg`, `__flag`, …).
 * Source: parse_test_spec, tools/testing/selftests/bpf/test_loader.c.
 */
export function readAnnotations(btf: Btf | null, program: string): Annotation {
  const fn = btf?.findByName(program, 'FUNC');
  const tags = fn === undefined ? [] : btf!.declTags(fn.id);
  const privileged = side();
  const unprivileged = side();
  let description = program;
  let logLevel = 0;
  let setFlags = 0;
  let isAuxiliary = false;
  let isTest = false;

  for (const tag of tags) {
    if (tag.componentIdx !== -1 || !tag.name.startsWith(PREFIX)) continue;
    isTest = true;
    const text = tag.name.slice(PREFIX.length);
    const equals = text.indexOf('=');
    const key = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? '' : text.slice(equals + 1);
    const isUnprivileged = key.endsWith('_unpriv');
    const target = isUnprivileged ? unprivileged : privileged;
    switch (isUnprivileged ? key.slice(0, -'_unpriv'.length) : key) {
      case 'expect_success':
        target.verdict = 'accept';
        target.isNamed = true;
        break;
      case 'expect_failure':
        target.verdict = 'reject';
        target.isNamed = true;
        break;
      case 'expect_msg':
        target.messages.push(messagePattern(afterCounter(value)));
        target.isNamed = true;
        break;
      case 'expect_not_msg':
        target.notMessages.push(messagePattern(afterCounter(value)));
        target.isNamed = true;
        break;
      case 'retval':
        target.returns = number(value);
        target.isNamed = true;
        break;
      case 'caps':
        target.isNamed = true;
        break;
      case 'auxiliary':
        isAuxiliary = true;
        break;
      case 'description':
        description = value;
        break;
      case 'log_level':
        logLevel = number(value) ?? 0;
        break;
      case 'prog_flags':
        setFlags = withFlag(setFlags, value);
        break;
    }
  }
  if (!isTest || isAuxiliary) return { expectation: null, setFlags };
  const expect = (from: Side, fallback: Side): Omit<Expectation, 'unprivileged'> => ({
    verdict: from.verdict ?? fallback.verdict ?? 'accept',
    messages: from.messages.length + from.notMessages.length > 0 ? from.messages : fallback.messages,
    notMessages: from.messages.length + from.notMessages.length > 0 ? from.notMessages : fallback.notMessages,
    errno: null,
    logLevel,
    returns: from.returns ?? fallback.returns,
    description,
  });
  const withoutPrivileges = unprivileged.isNamed ? { ...expect(unprivileged, privileged), unprivileged: null } : null;
  const isPrivileged = privileged.isNamed || !unprivileged.isNamed;
  const main = isPrivileged ? expect(privileged, privileged) : { ...expect(privileged, privileged), verdict: null };
  return { expectation: { ...main, unprivileged: withoutPrivileges }, setFlags };
}

/** `BPF_F_…` or a number sets bits, with a leading `!` it clears them. */
function withFlag(flags: number, text: string): number {
  const clear = text.startsWith('!');
  const name = clear ? text.slice(1) : text;
  const bits = (PROG_FLAGS as Readonly<Record<string, number>>)[name] ?? number(name) ?? 0;
  return clear ? flags & ~bits : flags | bits;
}
