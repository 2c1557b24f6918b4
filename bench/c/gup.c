/*
 * The fast walk of get_user_pages: `gup N` pins N pages for writing in calls of 512 and gives them back, and prints
 * nanoseconds per page and a checksum. The world is that of bench/gup_fast.ts: 2^20 entries of real four-level tables that
 * map the 2^19 pages of one memory file twice, the columns refcount and flags of every struct page, the same tests of
 * every entry and page in the same order, the same counters, the entry read again before the page counts as taken.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ENTRIES = 1 << 20, PAGES = 1 << 19, BATCH = 512, BIAS = 1024, NR_EVENTS = 64 };
enum { PRESENT = 1, RW = 2, USER = 4, PSE = 1 << 7, PROTNONE = 1 << 8, SPECIAL = 1 << 9, DEVMAP = 1 << 18 };
enum { ANON = 1 << 3, EXCLUSIVE = 1 << 4, MOVABLE = 1 << 7, SECRETMEM = 1 << 8, TRUNCATED = 1 << 9, TRACKED = 1 << 10 };
enum { FOLL_WRITE = 1, FOLL_FORCE = 0x10, FOLL_LONGTERM = 0x10000, FOLL_PIN = 0x40000 };
enum { E_ENTRY, E_REF };
static const uint64_t BASE = 0x100000000000ull;

static double events[NR_EVENTS];
static uint32_t *words; /* frames of 1024 words; frame 0 is never a table */
static int32_t *refcount, *flags_of;
static int32_t nr_pages, next_frame = 1, root, fork_seq, pkru = 0x55555554, huge_from = INT32_MAX;
static uint32_t *volatile moving; /* the pool may move, so it is read anew */

static inline int index_at(uint64_t address, int level) { return (int)(address >> (12 + 9 * (level - 1)) & 511); }
static inline uint64_t frame_of(uint32_t lo, uint32_t hi) { return (uint64_t)(hi & 0xfffff) << 20 | lo >> 12; }

static long slot_of(uint64_t address, int make) {
  long base = root;
  for (int level = 4;; level--) {
    long slot = base * 1024 + index_at(address, level) * 2;
    if (level == 1) return slot;
    if (!(words[slot] & PRESENT)) {
      if (!make) return -1;
      words[slot] = (uint32_t)next_frame++ << 12 | PRESENT | RW | USER;
    }
    if (words[slot] & PSE) return -1;
    base = (long)frame_of(words[slot], words[slot + 1]);
  }
}

static int take(long slot, int gup, int32_t *out) {
  events[E_ENTRY]++;
  uint32_t *pool = moving, lo = pool[slot], hi = pool[slot + 1];
  uint32_t flags = (lo & 0xfff) | hi >> 20 << 12;
  uint64_t pfn = frame_of(lo, hi);
  if ((flags & (PRESENT | PROTNONE)) == PROTNONE && !(gup & FOLL_FORCE)) return 1;
  uint32_t needed = PRESENT | USER | (gup & FOLL_WRITE ? RW : 0);
  if ((flags & needed) != needed) return 2;
  uint32_t key = flags >> 19 & 15;
  if (key && (pkru >> 2 * key & 3)) return 3;
  if (flags & (SPECIAL | DEVMAP)) return 4;
  if (pfn >= (uint64_t)nr_pages) return 5;
  long head = (long)pfn < huge_from ? (long)pfn : (long)(pfn & ~511ull);
  if (refcount[head] <= 0) return 5;
  int32_t page_flags = flags_of[head];
  if (page_flags & (MOVABLE | SECRETMEM | TRUNCATED | TRACKED)) return 6;
  pool = moving;
  if (((volatile uint32_t *)pool)[slot] != lo || ((volatile uint32_t *)pool)[slot + 1] != hi) return 7;
  if (!(flags & RW) && (gup & (FOLL_PIN | FOLL_WRITE)) == FOLL_PIN && (page_flags & (ANON | EXCLUSIVE)) == ANON) return 8;
  events[E_REF]++;
  refcount[head] += gup & FOLL_PIN ? BIAS : 1;
  *out = (int32_t)pfn;
  return 0;
}

static int gup_fast(uint64_t start, int nr, int gup, int32_t *out) {
  int32_t seq = *(volatile int32_t *)&fork_seq;
  if (seq & 1) return 0;
  long slot = -1;
  uint64_t table_end = start;
  int i = 0;
  for (; i < nr; i++) {
    uint64_t address = start + (uint64_t)i * 4096;
    if (address >= table_end) {
      slot = slot_of(address, 0);
      if (slot < 0) break;
      table_end = (address | 0x1fffff) + 1;
    } else
      slot += 2;
    if (take(slot, gup, out + i)) break;
  }
  return *(volatile int32_t *)&fork_seq == seq ? i : 0;
}

static double run(long n) {
  static int32_t out[BATCH];
  double sum = 0;
  for (long done = 0; done < n; done += BATCH) {
    int got = gup_fast(BASE + (uint64_t)(done % ENTRIES) * 4096, BATCH, FOLL_WRITE | FOLL_PIN, out);
    sum += got + (out[got - 1] - out[0]);
    for (int i = 0; i < got; i++) {
      long head = out[i] < huge_from ? out[i] : out[i] & ~511;
      events[E_REF]++;
      if ((refcount[head] -= BIAS) == 0) abort();
    }
  }
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  long n = atol(argv[1]);
  moving = words = calloc((size_t)4096 * 1024, 4);
  root = next_frame++;
  nr_pages = PAGES + 4096;
  refcount = malloc((size_t)nr_pages * 4);
  flags_of = calloc((size_t)nr_pages, 4);
  for (int i = 0; i < nr_pages; i++) refcount[i] = 3;
  for (long i = 0; i < ENTRIES; i++)
    words[slot_of(BASE + (uint64_t)i * 4096, 1)] = (uint32_t)(4096 + i % PAGES) << 12 | PRESENT | RW | USER;
  double checksum = run(n), best = 1e300;
  for (int i = 0; i < 5; i++) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    checksum = run(n);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
    if (ns < best) best = ns;
  }
  printf("{\"nanoseconds\":%.3f,\"checksum\":%.0f}\n", best / (double)n, checksum);
  return 0;
}
