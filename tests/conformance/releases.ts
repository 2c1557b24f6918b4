/**
 * Rules of mm that the recorded releases do not share, one script each: what the last call answers and what is mapped
 * then, by release. Written from what is said of the releases, not from the recordings.
 *
 * @module
 */

/** Releases in the order of the columns. */
export const RELEASES = ["linux5_10", "linux6_1", "linux6_12", "linux7_2"] as const;

/** One rule. */
export interface ReleaseRule {
  readonly rule: string;
  readonly cite: string;
  /** Calls as the recordings spell them. */
  readonly calls: readonly string[];
  /** Per release: answer of the last call, then each VMA as `start-end`, with the letters asked for. */
  readonly expected: readonly [string, string, string, string];
  /** Letters of VmFlags that are shown. */
  readonly letters?: readonly string[];
}

/** The same for all. */
function all(text: string): [string, string, string, string] {
  return [text, text, text, text];
}

/** `old` for the first n releases, `then` for the later ones. */
function since(n: 1 | 2 | 3, old: string, then: string): [string, string, string, string] {
  return [0, 1, 2, 3].map((i) => i < n ? old : then) as [string, string, string, string];
}

/** The table. */
export const RELEASE_RULES: readonly ReleaseRule[] = [
  {
    rule: "control: a cut in the middle makes three VMAs everywhere",
    cite: "recorded vma-scripted.jsonl munmap-middle",
    calls: ["mmap 0 8 rw- priv", "munmap 3 2"],
    expected: all("0 0-3 5-8"),
  },
  {
    rule: "letters of a lock that comes with the pages",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl mlock2-onfault",
    calls: ["mmap 0 2 rw- priv", "mlock2 0 2"],
    letters: ["lf", "??"],
    expected: since(2, "0 0-2 ??", "0 0-2 lf"),
  },
  {
    rule: "untouched memory that becomes read-only: accounted or not",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl mprotect-noop",
    calls: ["mmap 0 2 rw- priv", "mprotect 0 2 r--"],
    letters: ["ac"],
    expected: since(2, "0 0-2 ac", "0 0-2"),
  },
  {
    rule: "memory that was written to stays accounted",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl mprotect-noop",
    calls: ["mmap 0 2 rw- priv", "touch w 0", "mprotect 0 2 r--"],
    letters: ["ac"],
    expected: all("0 0-2 ac"),
  },
  {
    rule: "a part split off memory that was written to stays accounted",
    cite: "recorded linux6_12-xen4_20/vma-random.jsonl accounting by history",
    calls: ["mmap 0 4 rw- priv", "touch w 0", "mprotect 2 2 r--"],
    letters: ["ac"],
    expected: all("0 0-2 ac 2-4 ac"),
  },
  {
    rule: "untouched memory that becomes read-only joins memory that always was",
    cite: "recorded linux6_12-xen4_20/vma-random.jsonl accounting by history",
    calls: ["mmap 0 2 r-- priv", "mmap 2 2 rw- priv", "mprotect 2 2 r--"],
    expected: since(2, "0 0-2 2-4", "0 0-4"),
  },
  {
    rule: "a new mapping between two that both hold pages",
    cite: "recorded linux6_12-xen4_20/vma-scripted.jsonl anon-merge-after-touch-both-separately",
    calls: ["mmap 0 2 rw- priv", "mmap 4 2 rw- priv", "touch w 0", "touch w 4", "mmap 2 2 rw- priv"],
    expected: ["2 0-4 4-6", "2 0-2 2-6", "2 0-4 4-6", "2 0-4 4-6"],
  },
  {
    rule: "mremap grows until it touches the next",
    cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl mremap-grow-blocked",
    calls: ["mmap 0 6 rw- priv", "munmap 2 2", "mremap 0 2 4"],
    expected: since(1, "0 0-4 4-6", "0 0-6"),
  },
  {
    rule: "unlocked again, beside pages that were never locked",
    cite: "recorded linux7_2-xen4_20/vma-scripted.jsonl mlock-split",
    calls: ["mmap 0 6 rw- priv", "mlock 2 2", "munlock 0 6"],
    expected: since(3, "0 0-2 2-4 4-6", "0 0-6"),
  },
  {
    rule: "mremap shrinks where nothing is mapped",
    cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl mremap-unmapped",
    calls: ["mmap 3 1 rw- priv", "mremap 0 4 2"],
    expected: since(1, "0", "EFAULT 3-4"),
  },
  {
    rule: "mremap to a fixed place from nowhere: the target",
    cite: "recorded linux5_10-xen4_14/vma-random.jsonl mremap of an unmapped source",
    calls: ["mmap 8 2 rw- priv", "mremap 0 2 2 may fixed 8"],
    expected: since(1, "EFAULT", "EFAULT 8-10"),
  },
  {
    rule: "mremap to a fixed place from nowhere onto itself",
    cite: "recorded linux7_2-xen4_20/vma-random.jsonl r1005",
    calls: ["mremap 0 4 4 may fixed 2"],
    expected: ["EINVAL", "EFAULT", "EFAULT", "EINVAL"],
  },
  {
    rule: "mremap of several VMAs to a fixed place, the size stays",
    cite: "recorded linux7_2-xen4_20/vma-random.jsonl r1003",
    calls: ["mmap 0 2 rw- priv", "mmap 3 1 r-- priv", "mmap 8 5 r-x priv", "mremap 0 4 4 may fixed 8"],
    expected: since(3, "EFAULT 0-2 3-4 12-13", "8 8-10 10-11 11-12 12-13"),
  },
  {
    rule: "the same with a source that begins with a hole",
    cite: "linux 7.2 mm/mremap.c remap_move",
    calls: ["mmap 1 2 rw- priv", "mmap 8 4 r-x priv", "mremap 0 4 4 may fixed 8"],
    expected: ["EFAULT 1-3", "EFAULT 1-3 8-12", "EFAULT 1-3 8-12", "EFAULT 1-3 8-12"],
  },
  {
    rule: "mremap of several VMAs to a fixed place, growing: the target",
    cite: "recorded linux7_2-xen4_20/vma-random.jsonl r1075",
    calls: ["mmap 0 2 rw- priv", "mmap 2 2 r-- priv", "mmap 8 6 r-x priv", "mremap 0 4 5 may fixed 8"],
    expected: since(3, "EFAULT 0-2 2-4 13-14", "EFAULT 0-2 2-4 8-14"),
  },
  {
    rule: "mremap of several VMAs to a fixed place, shrinking but to more than the first: target and tail",
    cite: "linux 7.2 mm/mremap.c check_prep_vma",
    calls: ["mmap 0 2 rw- priv", "mmap 2 4 r-- priv", "mmap 8 6 r-x priv", "mremap 0 6 4 may fixed 8"],
    expected: since(3, "EFAULT 0-2 2-4 12-14", "EFAULT 0-2 2-6 8-14"),
  },
  {
    rule: "MREMAP_DONTUNMAP of a file",
    cite: "recorded linux5_10-xen4_14/vma-scripted.jsonl mremap-dontunmap-file",
    calls: ["mmap 0 2 rw- shared A 0", "mmap 8 3 r-- priv", "mremap 0 2 2 may fixed 8 dontunmap"],
    expected: since(1, "EINVAL 0-2 10-11", "8 0-2 8-10 10-11"),
  },
  {
    rule: "MREMAP_DONTUNMAP of a part of locked memory: who stays locked",
    cite: "recorded linux5_10-xen4_14/vma-random.jsonl r1010",
    calls: ["mmap 0 4 r-- priv", "mlock 0 4", "mremap 0 2 2 may fixed 8 dontunmap"],
    letters: ["lo"],
    expected: since(1, "8 0-4 8-10 lo", "8 0-2 2-4 lo 8-10 lo"),
  },
  {
    rule: "MREMAP_DONTUNMAP to the next place",
    cite: "recorded linux5_10-xen4_14/vma-random.jsonl r1004",
    calls: ["mmap 0 2 r-- priv", "mremap 0 2 2 may fixed 2 dontunmap"],
    expected: since(1, "2 0-4", "2 0-2 2-4"),
  },
  {
    rule: "an empty VMA left by MREMAP_DONTUNMAP counts from its place and joins what follows",
    cite: "recorded linux7_2-xen4_20/vma-random.jsonl r1065",
    calls: [
      "mmap 0 2 rw- priv",
      "touch w 0",
      "mremap 0 2 2 may fixed 8",
      "mmap 10 1 rw- priv noreserve",
      "mremap 8 2 2 may fixed 20 dontunmap",
      "mprotect 8 3 r--",
      "madvise 8 2 NORMAL",
      "mmap 7 1 r-- priv",
    ],
    letters: ["nr"],
    expected: [
      "7 7-8 8-10 10-11 nr 20-22",
      "7 7-8 8-10 10-11 nr 20-22",
      "7 7-8 8-10 10-11 nr 20-22",
      "7 7-10 10-11 nr 20-22",
    ],
  },
  {
    rule: "a lock that comes with the pages, over memory without rights",
    cite: "recorded linux5_10-xen4_14/vma-random.jsonl r1072",
    calls: ["mmap 0 2 --- priv", "mlock2 0 2"],
    letters: ["lo"],
    expected: since(1, "ENOMEM 0-2 lo", "0 0-2 lo"),
  },
  {
    rule: "a plain lock over memory without rights",
    cite: "recorded vma-random.jsonl mlock over PROT_NONE",
    calls: ["mmap 0 2 --- priv", "mlock 0 2"],
    letters: ["lo"],
    expected: all("ENOMEM 0-2 lo"),
  },
  {
    rule: "advice that a release has not heard of",
    cite: "recorded linux5_10-xen4_14/grant-cases-pv.jsonl madvise",
    calls: ["mmap 0 2 rw- priv", "madvise 0 2 POPULATE_READ"],
    expected: since(1, "EINVAL 0-2", "0 0-2"),
  },
  {
    rule: "the newest advice that all have",
    cite: "linux 5.10 mm/madvise.c madvise_behavior_valid",
    calls: ["mmap 0 2 rw- priv", "madvise 0 2 PAGEOUT"],
    expected: all("0 0-2"),
  },
];
