/** Receives the log in pieces, in order. Pieces are not lines. */
export type LogSink = (text: string) => void;

export const LOG_LEVEL1 = 1;
export const LOG_LEVEL2 = 2;
export const LOG_STATS = 4;

/** Characters that are collected before the sink gets them. */
const PIECE = 1 << 16;

/**
 * The verifier's log (struct bpf_verifier_log). At level 2 text is handed to the sink as it grows. At level 1 the kernel forgets
 * what a path printed once the path proved safe (bpf_vlog_reset at pop_stack), so text is held until `finish`. At level 0 only
 * the last message is kept.
 */
export class Log {
  readonly level: number;
  /** some level of instruction log is on (BPF_LOG_LEVEL) */
  readonly traces: boolean;
  /** every path is kept (BPF_LOG_LEVEL2) */
  readonly tracesAll: boolean;
  readonly stats: boolean;
  private readonly sink: LogSink;
  private held: string[] = [];
  private heldLength = 0;
  /** characters written so far, less what was forgotten (end_pos) */
  position = 0;
  /** text of the last message, with its newline */
  lastMessage = '';

  constructor(level: number, sink: LogSink) {
    this.level = level;
    this.traces = (level & (LOG_LEVEL1 | LOG_LEVEL2)) !== 0;
    this.tracesAll = (level & LOG_LEVEL2) !== 0;
    this.stats = (level & LOG_STATS) !== 0;
    this.sink = sink;
  }

  /** Logs a message: kept as the verdict's message at every level. */
  verbose(text: string): void {
    this.lastMessage = text;
    this.trace(text);
  }

  /** Logs a line that is no message: instructions, states, statistics. The caller asks `traces` first. */
  trace(text: string): void {
    if (this.level === 0 || text.length === 0) return;
    if (this.tracesAll && this.heldLength > PIECE) this.flush();
    this.held.push(text);
    this.heldLength += text.length;
    this.position += text.length;
  }

  /** Forgets what a path wrote after `position`; at level 2 everything stays. */
  resetTo(position: number): void {
    if (!this.tracesAll && this.level !== 0) this.truncate(position);
  }

  /** Takes back the newline that was written last, so that the line can go on. */
  dropNewline(): void {
    if (this.level !== 0) this.truncate(this.position - 1);
  }

  private truncate(position: number): void {
    while (this.position > position) {
      const last = this.held.pop() as string;
      const kept = Math.max(0, last.length - (this.position - position));
      this.position -= last.length - kept;
      this.heldLength -= last.length - kept;
      if (kept > 0) this.held.push(last.slice(0, kept));
    }
  }

  private flush(): void {
    this.sink(this.held.join(''));
    this.held = [];
    this.heldLength = 0;
  }

  /** Hands what is held to the sink. Call once, at the end. */
  finish(): void {
    if (this.heldLength > 0) this.flush();
  }
}
