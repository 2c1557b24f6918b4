/**
 * Text of several lines with a cursor, and what editing keys do to it. The cursor moves by what a reader takes for a
 * character; words are runs of identifier characters.
 *
 * @module
 */

/** Text and a cursor in it. */
export class TextBuffer {
  text = "";
  /** Index in `text`. */
  cursor = 0;
  /** What was cut last. */
  #cut = "";

  /** Replaces everything; the cursor goes to the end. */
  set(text: string): void {
    this.text = text;
    this.cursor = text.length;
  }

  get beforeCursor(): string {
    return this.text.slice(0, this.cursor);
  }

  insert(text: string): void {
    this.text = this.beforeCursor + text + this.text.slice(this.cursor);
    this.cursor += text.length;
  }

  /** Index of the first character of the cursor's line. */
  get lineStart(): number {
    return this.text.lastIndexOf("\n", this.cursor - 1) + 1;
  }

  /** Index after the last character of the cursor's line. */
  get lineEnd(): number {
    const end = this.text.indexOf("\n", this.cursor);
    return end < 0 ? this.text.length : end;
  }

  get isOnFirstLine(): boolean {
    return this.lineStart === 0;
  }

  get isOnLastLine(): boolean {
    return this.lineEnd === this.text.length;
  }

  left(): void {
    this.cursor = this.#before(this.cursor);
  }

  right(): void {
    this.cursor = this.#after(this.cursor);
  }

  home(): void {
    this.cursor = this.lineStart;
  }

  end(): void {
    this.cursor = this.lineEnd;
  }

  /** To the line above, same column as far as there is one. */
  up(): void {
    const column = this.cursor - this.lineStart;
    this.cursor = Math.max(0, this.lineStart - 1);
    this.cursor = Math.min(this.lineStart + column, this.lineEnd);
  }

  /** To the line below. */
  down(): void {
    const column = this.cursor - this.lineStart;
    this.cursor = Math.min(this.text.length, this.lineEnd + 1);
    this.cursor = Math.min(this.lineStart + column, this.lineEnd);
  }

  wordLeft(): void {
    this.cursor = /[\p{L}\p{N}_$]*[^\p{L}\p{N}_$]*$/u.exec(this.beforeCursor)!.index;
  }

  wordRight(): void {
    this.cursor += /^[^\p{L}\p{N}_$]*[\p{L}\p{N}_$]*/u.exec(this.text.slice(this.cursor))![0].length;
  }

  backspace(): void {
    this.#remove(this.#before(this.cursor), this.cursor);
  }

  delete(): void {
    this.#remove(this.cursor, this.#after(this.cursor));
  }

  /** Cuts from the cursor to where a motion leads. */
  cutTo(motion: () => void): void {
    const from = this.cursor;
    motion();
    const [start, end] = from < this.cursor ? [from, this.cursor] : [this.cursor, from];
    if (start === end) return;
    this.#cut = this.text.slice(start, end);
    this.#remove(start, end);
  }

  /** To the end of the line, or the line break if the cursor is there. */
  toLineEnd(): void {
    this.cursor = this.cursor === this.lineEnd ? Math.min(this.text.length, this.cursor + 1) : this.lineEnd;
  }

  /** Inserts what was cut last. */
  yank(): void {
    this.insert(this.#cut);
  }

  #remove(start: number, end: number): void {
    this.text = this.text.slice(0, start) + this.text.slice(end);
    this.cursor = start;
  }

  #before(at: number): number {
    const start = this.text.lastIndexOf("\n", at - 2) + 1;
    const parts = segments(this.text.slice(start, at));
    return parts.length === 0 ? Math.max(0, at - 1) : at - parts.at(-1)!.length;
  }

  #after(at: number): number {
    if (at >= this.text.length) return at;
    const end = this.text.indexOf("\n", at + 1);
    return at + segments(this.text.slice(at, end < 0 ? undefined : end))[0]!.length;
  }
}

/** What a reader takes for characters. */
export function segments(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}
