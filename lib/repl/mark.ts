/**
 * Marks: words of ours between what a session writes, each between two record separators (U+001E). A mark may carry
 * JSON, which never holds that character.
 *
 * @module
 */

const RS = String.fromCharCode(0x1e);

/** A whole mark: its word, and what it carries. */
export const MARK: RegExp = new RegExp(`${RS}(\\w+)(?::([^${RS}]*))?${RS}`);

/** The begin of a mark at the end of a text. */
export const MARK_BEGUN: RegExp = new RegExp(`${RS}(?:\\w*|\\w+:[^${RS}]*)$`);

/** Whether a text could end a mark that has begun. */
export function mayEndMark(text: string): boolean {
  return text.includes(RS);
}

/** A mark as it goes through a stream. */
export function markText(word: string, carried?: string): string {
  return RS + word + (carried === undefined ? "" : `:${carried}`) + RS;
}
