/*
 * The index of VMAs: `vma CASE VMAS N` does N times what the case says on VMAS touching mappings of 8 pages and prints
 * nanoseconds per time and a checksum. The structure is that of lib/linux/mm/vma_tree.ts: chunks of at most 128 sorted
 * start addresses with a column of mappings beside them, halved when full, joined when small, and one sorted array of
 * the chunks' first addresses. Same checks of borders on every change, same addresses in the same order. A mapping is a
 * structure from malloc, as Linux's comes from a cache of its own.
 *
 *   find    the mapping that ends above an address
 *   cut     find, cut in two (a copy of the structure goes in), find the new half again, join it with the first half
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CAPACITY = 128, PAGES = 8, PAGE = 4096 };
static const uint64_t BASE = 0x100000000000ull;

typedef struct {
  uint64_t start, end, flags, pgoff, pkey;
  void *mm, *file, *ops, *private_data, *anon_vma, *chain[2], *pages;
  uint64_t first;
} vma_t; /* the fields of Vma in lib/linux/mm/vma.ts */
typedef struct {
  uint64_t starts[CAPACITY];
  vma_t *vmas[CAPACITY];
  long size;
} chunk_t;

static chunk_t **chunks;
static uint64_t *firsts;
static long nr_chunks, room;

/* The last of the first n keys that is at most `key`, or -1. */
static inline long last_at_most(const uint64_t *keys, long n, uint64_t key) {
  long low = 0, high = n;
  while (low < high) {
    long middle = (low + high) >> 1;
    if (keys[middle] <= key)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

static vma_t *find(uint64_t address) {
  long at = last_at_most(firsts, nr_chunks, address);
  if (at < 0) return nr_chunks > 0 ? chunks[0]->vmas[0] : NULL;
  chunk_t *chunk = chunks[at];
  long i = last_at_most(chunk->starts, chunk->size, address);
  vma_t *vma = chunk->vmas[i];
  if (vma->end > address) return vma;
  if (i + 1 < chunk->size) return chunk->vmas[i + 1];
  return at + 1 < nr_chunks ? chunks[at + 1]->vmas[0] : NULL;
}

static void add_chunk(long at, chunk_t *chunk) {
  if (nr_chunks == room) {
    room = room ? 2 * room : 16;
    chunks = realloc(chunks, (size_t)room * sizeof *chunks);
    firsts = realloc(firsts, (size_t)room * sizeof *firsts);
  }
  memmove(chunks + at + 1, chunks + at, (size_t)(nr_chunks - at) * sizeof *chunks);
  memmove(firsts + at + 1, firsts + at, (size_t)(nr_chunks - at) * sizeof *firsts);
  chunks[at] = chunk;
  firsts[at] = chunk->starts[0];
  nr_chunks++;
}

static void drop_chunk(long at) {
  free(chunks[at]);
  nr_chunks--;
  memmove(chunks + at, chunks + at + 1, (size_t)(nr_chunks - at) * sizeof *chunks);
  memmove(firsts + at, firsts + at + 1, (size_t)(nr_chunks - at) * sizeof *firsts);
}

static void insert(vma_t *vma) {
  vma_t *there = find(vma->start);
  if (there && there->start < vma->end) abort();
  if (nr_chunks == 0) add_chunk(0, calloc(1, sizeof(chunk_t)));
  long at = last_at_most(firsts, nr_chunks, vma->start);
  if (at < 0) at = 0;
  chunk_t *chunk = chunks[at];
  long i = last_at_most(chunk->starts, chunk->size, vma->start) + 1;
  memmove(chunk->starts + i + 1, chunk->starts + i, (size_t)(chunk->size - i) * sizeof *chunk->starts);
  memmove(chunk->vmas + i + 1, chunk->vmas + i, (size_t)(chunk->size - i) * sizeof *chunk->vmas);
  chunk->starts[i] = vma->start;
  chunk->vmas[i] = vma;
  chunk->size++;
  if (i == 0) firsts[at] = vma->start;
  if (chunk->size < CAPACITY) return;
  chunk_t *high = malloc(sizeof *high);
  long half = CAPACITY / 2;
  memcpy(high->starts, chunk->starts + half, (size_t)half * sizeof *high->starts);
  memcpy(high->vmas, chunk->vmas + half, (size_t)half * sizeof *high->vmas);
  high->size = chunk->size = half;
  add_chunk(at + 1, high);
}

static long place_of(const vma_t *vma, long *i) {
  long at = last_at_most(firsts, nr_chunks, vma->start);
  if (at < 0) abort();
  *i = last_at_most(chunks[at]->starts, chunks[at]->size, vma->start);
  if (*i < 0 || chunks[at]->vmas[*i] != vma) abort();
  return at;
}

static void remove_vma(vma_t *vma) {
  long i, at = place_of(vma, &i);
  chunk_t *chunk = chunks[at];
  chunk->size--;
  memmove(chunk->starts + i, chunk->starts + i + 1, (size_t)(chunk->size - i) * sizeof *chunk->starts);
  memmove(chunk->vmas + i, chunk->vmas + i + 1, (size_t)(chunk->size - i) * sizeof *chunk->vmas);
  if (chunk->size == 0) {
    drop_chunk(at);
    return;
  }
  if (i == 0) firsts[at] = chunk->starts[0];
  if (at + 1 == nr_chunks || chunk->size + chunks[at + 1]->size > CAPACITY / 2) return;
  chunk_t *high = chunks[at + 1];
  memcpy(chunk->starts + chunk->size, high->starts, (size_t)high->size * sizeof *high->starts);
  memcpy(chunk->vmas + chunk->size, high->vmas, (size_t)high->size * sizeof *high->vmas);
  chunk->size += high->size;
  drop_chunk(at + 1);
}

static void set_bounds(vma_t *vma, uint64_t start, uint64_t end) {
  long i, at = place_of(vma, &i);
  chunk_t *chunk = chunks[at];
  const vma_t *before = i > 0 ? chunk->vmas[i - 1] : at > 0 ? chunks[at - 1]->vmas[chunks[at - 1]->size - 1] : NULL;
  const vma_t *after = i + 1 < chunk->size ? chunk->vmas[i + 1] : at + 1 < nr_chunks ? chunks[at + 1]->vmas[0] : NULL;
  if (start >= end || (before && before->end > start) || (after && after->start < end)) abort();
  vma->start = start;
  vma->end = end;
  chunk->starts[i] = start;
  if (i == 0) firsts[at] = start;
}

static vma_t *make(uint64_t start, uint64_t end) {
  vma_t *vma = calloc(1, sizeof *vma);
  vma->start = start;
  vma->end = end;
  return vma;
}

static uint64_t nr_pages;
static uint32_t x = 1;
static inline uint64_t next_page(void) {
  x = x * 1664525u + 1013904223u;
  return (x >> 8) % nr_pages;
}

static double run_find(long n) {
  double sum = 0;
  x = 1;
  for (long i = 0; i < n; i++) {
    const vma_t *vma = find(BASE + next_page() * PAGE);
    sum += (double)((vma->start - BASE) / PAGE);
  }
  return sum;
}

static double run_cut(long n) {
  double sum = 0;
  x = 1;
  for (long i = 0; i < n; i++) {
    uint64_t address = BASE + next_page() * PAGE;
    vma_t *vma = find(address);
    if (address == vma->start) address += PAGE;
    vma_t *copy = malloc(sizeof *copy);
    *copy = *vma;
    copy->start = address;
    copy->pgoff += (address - vma->start) / PAGE;
    set_bounds(vma, vma->start, address);
    insert(copy);
    vma_t *high = find(address);
    sum += (double)high->pgoff;
    uint64_t end = high->end;
    remove_vma(high);
    free(high);
    set_bounds(vma, vma->start, end);
  }
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  double (*run)(long) = strcmp(argv[1], "find") == 0 ? run_find : run_cut;
  long vmas = atol(argv[2]), n = atol(argv[3]);
  nr_pages = (uint64_t)vmas * PAGES;
  for (long i = 0; i < vmas; i++) {
    uint64_t start = BASE + (uint64_t)i * PAGES * PAGE;
    insert(make(start, start + PAGES * PAGE));
  }
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
