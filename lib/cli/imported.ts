/**
 * What real systems print, told apart by content and read: a text for people, rows for programs. Nothing here writes.
 *
 * @module
 */

/** What a file turned out to be. */
export interface Imported {
  readonly kind: string;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly rows: unknown;
  /** True if something in it differs from what the model says, or from itself. */
  readonly isAmiss: boolean;
}

/** One kind of text. */
interface TextKind {
  /** Is it this? The first lines are given. */
  readonly detect: (head: string) => boolean;
  readonly read: (text: string, name: string) => Promise<Omit<Imported, "kind">>;
}

const KINDS: Readonly<Record<string, TextKind>> = {
  smaps: {
    detect: (head) => /^Rss: +\d+ kB/m.test(head),
    async read(text) {
      const { readSmaps } = await import("../import/smaps.ts");
      const rows = readSmaps(text);
      const resident = rows.reduce((sum, { kib }) => sum + (kib["Rss"] ?? 0), 0);
      return { text: `${rows.length} mappings, ${resident} KiB resident`, rows, isAmiss: false };
    },
  },
  maps: {
    detect: (head) => /^[0-9a-f]+-[0-9a-f]+ [r-][w-][x-][ps] /m.test(head),
    async read(text) {
      const { importProcMaps } = await import("../import/proc_maps.ts");
      const { textOf } = await import("../repl/print.ts");
      const found = importProcMaps(text);
      const { rows, leftOut } = found;
      return { text: textOf(found), rows: { rows, leftOut }, isAmiss: false };
    },
  },
  strace: {
    detect: (head) => /^(?:\[pid +\d+\] |[\d:.]+ )*\w+\(.*\) += /m.test(head),
    async read(text) {
      const { replayStrace } = await import("../import/strace.ts");
      const { compared, differences } = replayStrace(text);
      const lines = differences.map(({ line, call, logged, modelled }) =>
        `  line ${line}: ${call}: logged ${logged}, modelled ${modelled}`
      );
      const head = `${compared} calls replayed, ${differences.length} come out otherwise`;
      return {
        text: [head, ...lines].join("\n"),
        rows: { compared, differences },
        isAmiss: differences.length > 0,
      };
    },
  },
  "grant-dump": {
    detect: (head) => /gnttab_usage_print_all|grant-table for remote d/.test(head),
    async read(text) {
      const { checkGrantDump, parseGrantDump } = await import("../import/grant_dump.ts");
      const tables = parseGrantDump(text);
      const findings = checkGrantDump(tables);
      const lines = tables.map(({ granter, version, rows }) =>
        `domain ${granter}: ${rows.length} entries in use${version === null ? "" : `, version ${version}`}`
      );
      return {
        text: [...lines, ...findings].join("\n"),
        rows: { tables, findings },
        isAmiss: findings.length > 0,
      };
    },
  },
  prices: {
    detect: (head) => head.trimStart().startsWith("{") && /"unit"|"prices"/.test(head),
    async read(text, name) {
      const { isMeasured } = await import("../cost/price.ts");
      const { parsePriceList } = await import("../cost/parse_price_list.ts");
      const list = parsePriceList(text, name);
      const prices = Object.values(list.prices);
      const measured = prices.filter(isMeasured).length;
      const line =
        `${list.name}: ${prices.length} prices in ${list.unit} for ${list.machine}, ${measured} measured`;
      return { text: line, rows: list, isAmiss: false };
    },
  },
};

/** Kinds that are read, as `--kind` takes them. */
export const IMPORT_KINDS: readonly string[] = Object.freeze([
  ...Object.keys(KINDS),
  "pagemap",
  "page-tables",
]);

const HEAD_BYTES = 20_000;

/** Stands for standard input. Deno reads files of `/proc` only with all rights; a shell reads them for us. */
export const STDIN = "-";

/**
 * Reads a file, `-` for standard input, or the folder of a page-table image.
 *
 * @param kind one of {@linkcode IMPORT_KINDS}; told by content if not given, but for `pagemap`, which is mere bytes
 * @throws {SyntaxError | RangeError | TypeError} if it is none, or has a bad line
 */
export async function readImported(path: string, kind?: string): Promise<Imported> {
  if (path !== STDIN && (await Deno.stat(path)).isDirectory) return await readFolder(path);
  const bytes = path === STDIN ? await bytesOfStdin() : await Deno.readFile(path);
  if (kind === "pagemap") return await readPages(bytes);
  const text = new TextDecoder("utf-8").decode(bytes);
  const head = text.slice(0, HEAD_BYTES);
  const found = kind ?? Object.keys(KINDS).find((each) => KINDS[each]!.detect(head));
  if (found === undefined) {
    throw new RangeError(
      `Cannot import ${path}: it is like none of ${Object.keys(KINDS).join(", ")}; --kind says what it is`,
    );
  }
  const chosen = KINDS[found];
  if (chosen === undefined) {
    throw new RangeError(`Cannot import ${path} as ${found}: there are ${IMPORT_KINDS.join(", ")}`);
  }
  return { kind: found, ...await chosen.read(text, path) };
}

async function bytesOfStdin(): Promise<Uint8Array> {
  return new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
}

async function readPages(bytes: Uint8Array): Promise<Imported> {
  const { readPagemap } = await import("../import/pagemap.ts");
  const rows = readPagemap(bytes as Uint8Array<ArrayBuffer>);
  const present = rows.filter(({ isPresent }) => isPresent).length;
  const text = [`${rows.length} pages, ${present} present`, ...lettersOf(rows.map(({ letter }) => letter))];
  return { kind: "pagemap", text: text.join("\n"), rows, isAmiss: false };
}

/** Letters in lines of 64, at most 40 of them. */
function lettersOf(letters: readonly string[]): string[] {
  const lines = (letters.join("").match(/.{1,64}/g) ?? []).map((line) => `  ${line}`);
  return lines.length <= 40 ? lines : [...lines.slice(0, 40), `  … ${lines.length - 40} lines more`];
}

async function readFolder(path: string): Promise<Imported> {
  const { openInput } = await import("../conform/read.ts");
  const { readImage } = await import("../conform/page_table_image.ts");
  const { addressMap, describeAddressMap } = await import("../x86/address_map.ts");
  const { mem, root, levels, tableLevel } = await readImage(await openInput(path));
  const map = addressMap(mem, root, levels);
  const lines = describeAddressMap(map);
  const head = `${tableLevel.size} frames, ${levels} levels, ${map.leaves} mappings`;
  const rows = JSON.parse(
    JSON.stringify(map.ranges, (_, each) => typeof each === "bigint" ? hexOf(each) : each),
  );
  return {
    kind: "page-tables",
    text: [head, ...lines].join("\n"),
    rows: { levels, ranges: rows },
    isAmiss: false,
  };
}

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}
