// The text of an event stream (HTML standard, "Interpreting an event stream"), piece by piece.

export interface SseEvent {
  event: string;
  data: string;
  id: string | null; // null: the event had none
}

export const LINE_CHARACTERS_MAX = 32 << 20;

export class SseParser {
  private buffer = '';
  private scanned = 0; // no line ends before it in `buffer`
  private event = '';
  private data: string[] = [];
  private id: string | null = null;
  private afterReturn = false; // a "\n" that comes next belongs to the "\r" before it

  // The events that `text` completes. Throws when a line grows past its bound.
  push(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    if (text === '') return events;
    this.buffer += this.afterReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.afterReturn = text.endsWith('\r');
    const ends = /\r\n?|\n/g;
    ends.lastIndex = this.scanned;
    let begin = 0;
    for (let end = ends.exec(this.buffer); end; end = ends.exec(this.buffer)) {
      this.line(this.buffer.slice(begin, end.index), events);
      begin = ends.lastIndex;
    }
    this.buffer = this.buffer.slice(begin);
    this.scanned = this.buffer.length;
    if (this.scanned > LINE_CHARACTERS_MAX) throw new Error('a line of the stream is too long');
    return events;
  }

  private line(line: string, events: SseEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) {
        const event = this.event || 'message';
        events.push({ event, data: this.data.join('\n'), id: this.id });
      }
      this.event = '';
      this.data = [];
      this.id = null;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment, such as the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
  }
}
