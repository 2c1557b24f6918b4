/**
 * Keys of the methods by which an object shows itself: to people in a terminal, to a pipe that wants one line, and to
 * a notebook.
 *
 * @module
 */

/** Key of a method that answers text for people; Deno's own key, so that `console.log` knows it, too. */
export const textView: unique symbol = Symbol.for("Deno.customInspect");

/** Key of a method that answers one line: what piped output of a session shows. */
export const lineView: unique symbol = Symbol.for("grantlab.lineView");

/** Key of a method that answers HTML, escaped, for notebooks. */
export const htmlView: unique symbol = Symbol.for("grantlab.htmlView");
