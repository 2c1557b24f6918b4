/**
 * Deno's language server as a process: a module that exists in memory only goes in, what its types lack comes out. It
 * is the checker of `deno check`, with the same configuration and import map.
 *
 * @module
 */

/** One complaint. Lines and columns from 0. */
export interface TypeComplaint {
  readonly line: number;
  readonly column: number;
  /** TypeScript's number: 2322. */
  readonly code: number;
  readonly message: string;
}

interface Diagnostic {
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
  readonly severity?: number;
  readonly code?: number | string;
  readonly source?: string;
  readonly message: string;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly items?: readonly unknown[];
    readonly uri?: string;
    readonly version?: number;
    readonly diagnostics?: readonly Diagnostic[];
  };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Place {
  readonly line: number;
  readonly character: number;
}

interface TextEdit {
  readonly range: { readonly start: Place; readonly end: Place };
  readonly newText: string;
}

interface WorkspaceEdit {
  readonly changes?: Readonly<Record<string, readonly TextEdit[]>>;
  readonly documentChanges?: readonly {
    readonly textDocument: { readonly uri: string };
    readonly edits: readonly TextEdit[];
  }[];
}

const SETTINGS = { enable: true, lint: false, config: "./deno.json" };
const ERROR = 1;
const BREAK = "\r\n\r\n";

/** A running server with one document. */
export class LanguageServer {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #uri: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #checks = new Map<number, PromiseWithResolvers<readonly TypeComplaint[]>>();
  #last = 0;
  #version = 0;

  private constructor(process: Deno.ChildProcess, uri: string) {
    this.#process = process;
    this.#uri = uri;
    this.#writer = process.stdin.getWriter();
    void this.#read().catch(() => {}).finally(() => this.#fail());
  }

  /**
   * Starts one.
   *
   * @param root URL of the folder with the configuration, a slash at the end
   * @param uri URL of the document; it needs not exist
   */
  static async start(root: string, uri: string): Promise<LanguageServer> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["lsp", "--quiet"],
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const server = new LanguageServer(process, uri);
    await server.#request("initialize", {
      processId: Deno.pid,
      rootUri: root,
      workspaceFolders: [{ uri: root, name: "session" }],
      capabilities: { textDocument: { publishDiagnostics: { versionSupport: true } } },
      initializationOptions: SETTINGS,
    });
    await server.#notify("initialized", {});
    return server;
  }

  /** What is wrong with the types of this text. One text at a time; a new one takes the place of the old. */
  async check(text: string): Promise<readonly TypeComplaint[]> {
    const version = ++this.#version;
    const done = Promise.withResolvers<readonly TypeComplaint[]>();
    this.#checks.set(version, done);
    const document = { uri: this.#uri, version };
    if (version === 1) {
      await this.#notify("textDocument/didOpen", {
        textDocument: { ...document, languageId: "typescript", text },
      });
    } else {
      await this.#notify("textDocument/didChange", { textDocument: document, contentChanges: [{ text }] });
    }
    return await done.promise;
  }

  /**
   * A text with the name at a place renamed wherever it means the same, or undefined if the server cannot. The text is
   * the document then.
   */
  async renamed(text: string, line: number, column: number, name: string): Promise<string | undefined> {
    await this.check(text);
    const edit = await this.#request("textDocument/rename", {
      textDocument: { uri: this.#uri },
      position: { line, character: column },
      newName: name,
    }).catch(() => null) as WorkspaceEdit | null;
    const edits = editsOf(edit, this.#uri);
    return edits.length === 0 ? undefined : edited(text, edits);
  }

  /** Ends the process. */
  async close(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
    await this.#writer.abort().catch(() => {});
  }

  async #request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#last;
    const reply = Promise.withResolvers<unknown>();
    this.#waiting.set(id, reply);
    await this.#send({ jsonrpc: "2.0", id, method, params });
    return await reply.promise;
  }

  async #notify(method: string, params: unknown): Promise<void> {
    await this.#send({ jsonrpc: "2.0", method, params });
  }

  async #send(message: unknown): Promise<void> {
    const body = new TextEncoder().encode(JSON.stringify(message));
    const head = new TextEncoder().encode(`Content-Length: ${body.length}${BREAK}`);
    const whole = new Uint8Array(head.length + body.length);
    whole.set(head);
    whole.set(body, head.length);
    await this.#writer.write(whole);
  }

  /** Messages as they come: `Content-Length: N`, an empty line, N bytes. */
  async #read(): Promise<void> {
    let rest = new Uint8Array();
    for await (const chunk of this.#process.stdout) {
      const joined = new Uint8Array(rest.length + chunk.length);
      joined.set(rest);
      joined.set(chunk, rest.length);
      rest = joined;
      for (;;) {
        const text = new TextDecoder().decode(rest.subarray(0, 200));
        const end = text.indexOf(BREAK);
        const length = Number(/Content-Length: (\d+)/.exec(text)?.[1]);
        if (end < 0 || rest.length < end + BREAK.length + length) break;
        const from = end + BREAK.length;
        this.#take(JSON.parse(new TextDecoder().decode(rest.subarray(from, from + length))) as Reply);
        rest = rest.slice(from + length);
      }
    }
  }

  #take({ id, method, params, result, error }: Reply): void {
    if (method === "textDocument/publishDiagnostics") {
      if (params?.uri === this.#uri) {
        this.#diagnosed(params.version ?? this.#version, params.diagnostics ?? []);
      }
    } else if (method !== undefined && id !== undefined) {
      // It asks for its settings; what else it asks of an editor has no answer here.
      const settings = method === "workspace/configuration"
        ? (params?.items ?? []).map(() => SETTINGS)
        : null;
      void this.#send({ jsonrpc: "2.0", id, result: settings }).catch(() => {});
    } else if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error.message));
    }
  }

  #diagnosed(version: number, diagnostics: readonly Diagnostic[]): void {
    const complaints = diagnostics
      .filter(({ source, severity }) => source === "deno-ts" && (severity ?? ERROR) === ERROR)
      .map(({ range: { start }, code, message }) => ({
        line: start.line,
        column: start.character,
        code: Number(code),
        message,
      }));
    for (const [asked, { resolve }] of this.#checks) {
      if (asked > version) continue;
      this.#checks.delete(asked);
      resolve(complaints);
    }
  }

  #fail(): void {
    const gone = new Error("Cannot check types: the language server has ended");
    for (const { reject } of [...this.#waiting.values(), ...this.#checks.values()]) reject(gone);
    this.#waiting.clear();
    this.#checks.clear();
  }
}

function editsOf(edit: WorkspaceEdit | null, uri: string): readonly TextEdit[] {
  const listed = edit?.documentChanges?.filter(({ textDocument }) => textDocument.uri === uri) ?? [];
  return edit?.changes?.[uri] ?? listed.flatMap(({ edits }) => edits);
}

/** The text after edits that do not overlap. */
function edited(text: string, edits: readonly TextEdit[]): string {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const index = ({ line, character }: Place) => (starts[line] ?? text.length) + character;
  let out = text;
  for (const { range, newText } of edits.toSorted((a, b) => index(b.range.start) - index(a.range.start))) {
    out = out.slice(0, index(range.start)) + newText + out.slice(index(range.end));
  }
  return out;
}
