/**
 * What the kernel asks of whoever runs the cells. The kernel knows the protocol and nothing of the language; the
 * session of `lib/repl` knows the language and nothing of the protocol.
 *
 * @module
 */

/** A value by media type, and what is to be known of each (the size of a picture). */
export interface MimeBundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How a cell went. */
export type CellOutcome =
  /** `bundle` is the cell's value, absent if there is nothing to show. */
  | { readonly kind: "value"; readonly bundle?: MimeBundle }
  | {
    readonly kind: "error";
    /** Class of what was thrown: `RangeError`. */
    readonly name: string;
    /** Without the class. */
    readonly message: string;
    /** What a person reads, class included. */
    readonly lines: readonly string[];
  };

/** Where output goes while cells run, and between them. */
export interface CellOutput {
  /** A promise that is answered tells when there is room for more. */
  readonly onText: (stream: "stdout" | "stderr", text: string) => void | Promise<void>;
  readonly onDisplay: (bundle: MimeBundle) => void;
}

/** Answer to `is_complete_request`. */
export type Completeness = "complete" | "incomplete" | "invalid" | "unknown";

/** The language of a kernel: one session. Positions are UTF-16 indexes. */
export interface Language {
  /** As `kernel_info_reply` has it: name, version, mimetype, file_extension, … */
  readonly info: Readonly<Record<string, unknown>>;
  readonly banner: string;
  /**
   * Runs a cell; one at a time. When it settles, all output of the cell has been handed over. Never rejects for what
   * the cell does.
   */
  run(code: string): Promise<CellOutcome>;
  complete(
    code: string,
    cursor: number,
  ): Promise<{ readonly from: number; readonly names: readonly string[] }>;
  /** Help for what stands at the cursor. */
  inspect(code: string, cursor: number): Promise<MimeBundle | undefined>;
  completeness(code: string): Completeness;
  /** Stops the running cell, keeps the session. */
  interrupt(): Promise<void>;
  /** Ends the session; a running cell settles. No process is left. */
  close(): Promise<void>;
}
