/** Receives the log in pieces, in order. Pieces are not lines. */
export type LogSink = (text: string) => void;

export const LOG_LEVEL1 = 1;
export const LOG_LEVEL2 = 2;
export const LOG_STATS = 4;

/**
 * The verifier's log (struct bpf_verifier_log). At level 2 text goes straight to the sink. At level 1 the kernel forgets what a
 * path printed once the path proved safe (bpf_vlog_reset at pop_stack), so text is held until `finish`. At level 0 only the last
 * message is kept.
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
  /** characters written so far, less what was forgotten (end_pos) */
  position = 0;
  /** text of the last message, with its newline: what a verdict quotes when nothing else was logged */
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
    if (this.level === 0) return;
    this.position += text.length;
    if (this.tracesAll) this.sink(text);
    else this.held.push(text);
  }

  /** Forgets what was written after `position` (level 1 only; at level 2 everything stays). */
  resetTo(position: number): void {
    if (this.tracesAll || this.level === 0) return;
    while (this.position > position) {
      const last = this.held.pop() as string;
      this.position -= last.length;
      if (this.position < position) {
        const kept = last.slice(0, position - this.position);
        this.held.push(kept);
        this.position = position;
      }
    }
  }

  /** Hands what is held to the sink. Call once, at the end. */
  finish(): void {
    for (const text of this.held) this.sink(text);
    this.held = [];
  }
}
