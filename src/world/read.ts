import * as v from 'valibot';
import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { type Diagnostic, Malformed } from '../contracts/errors.ts';
import { WorldSchema, type WorldSpec } from './schema.ts';

/** Where something stands in a world file: keys and indices from the outside in. */
export type WorldPath = readonly (string | number)[];

/** A world file: what it says, and where it says it. */
export interface WorldFile {
  readonly file: string;
  readonly spec: WorldSpec;
  /** throws `Malformed` at a place of the file */
  fail(path: WorldPath, message: string): never;
}

const MAX_TEXT = 1 << 28;
const MAX_ALIASES = 100;

/** Reads and checks a world file. Throws `Malformed` with every complaint, each with line and column. */
export function readWorld(text: string, file: string): WorldFile {
  if (text.length > MAX_TEXT) throw new Malformed('the world is too large', file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const source = text.split(/\r?\n/);
  const at = (offset: number): Omit<Diagnostic, 'message'> => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, sourceLine: source[line - 1] ?? '' };
  };
  if (document.errors.length > 0) {
    const found = document.errors.map((error) => ({
      message: error.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
      ...at(error.pos[0]),
    }));
    throw new Malformed(found[0]!.message, file, found);
  }
  const place = (path: WorldPath, wantsKey = false): Omit<Diagnostic, 'message'> => at(offsetOf(document, path, wantsKey));
  const parsed = v.safeParse(WorldSchema, plain(document, file));
  if (!parsed.success) {
    const found = parsed.issues
      .flatMap((issue) => complaints(issue))
      .map(({ path, message, ofKey }) => ({ message, ...place(path, ofKey) }));
    throw new Malformed(found[0]!.message, file, found);
  }
  return {
    file,
    spec: parsed.output,
    fail(path, message) {
      throw new Malformed(message, file, [{ message, ...place(path) }]);
    },
  };
}

/** The document as plain values; aliases that would make it huge are refused. */
function plain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch (error) {
    if (error instanceof ReferenceError) throw new Malformed(error.message, file);
    throw error;
  }
}

interface Complaint {
  readonly path: WorldPath;
  readonly message: string;
  /** it is the key that is wrong, not what stands there */
  readonly ofKey: boolean;
}

const keysOf = (issue: v.BaseIssue<unknown>): (string | number)[] =>
  (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));

/** A union's complaint is that of the alternative that came furthest. */
function complaints(issue: v.BaseIssue<unknown>): Complaint[] {
  const path = keysOf(issue);
  const ofKey = issue.type === 'strict_object' && issue.expected === 'never';
  if (issue.type !== 'union' || issue.issues === undefined) return [{ path, message: wording(issue), ofKey }];
  const inner = issue.issues.flatMap((one) => complaints(one));
  const depth = Math.max(...inner.map((one) => one.path.length));
  if (depth === 0) return [{ path, message: 'none of the kinds that may stand here', ofKey: false }];
  return inner
    .filter((one) => one.path.length === depth)
    .slice(0, 1)
    .map((one) => ({ ...one, path: [...path, ...one.path] }));
}

function wording(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never')
    return `there is no '${String(issue.path?.at(-1)?.key)}' here`;
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `'${String(issue.path?.at(-1)?.key)}' is missing`;
  if (issue.type === 'regex') return `expected ${issue.message}`;
  return `expected ${issue.expected ?? issue.message}, not ${issue.received}`;
}

/** What a path leads to: a value, and the pair of the map that holds it. */
interface Found {
  readonly node: Node | null;
  readonly pair: Pair | null;
}

function step(document: Document, node: Node | null, key: string | number): Found {
  const real = isAlias(node) ? (node.resolve(document) ?? null) : node;
  if (isSeq(real)) {
    const item = real.items[Number(key)];
    return { node: isNode(item) ? item : null, pair: null };
  }
  if (!isMap(real)) return { node: null, pair: null };
  const pair = real.items.find((one) => isNode(one.key) && String(one.key) === String(key)) ?? null;
  return { node: isNode(pair?.value) ? pair.value : null, pair };
}

/** Offset of what stands at a path: of the value, or of the key where `wantsKey`; what is not there is where it should be. */
function offsetOf(document: Document, path: WorldPath, wantsKey: boolean): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, key] of path.entries()) {
    const found = step(document, node, key);
    const isLast = index === path.length - 1;
    const target = isLast && wantsKey && isNode(found.pair?.key) ? found.pair.key : found.node;
    if (!target?.range) break;
    offset = target.range[0];
    node = found.node;
  }
  return offset;
}
