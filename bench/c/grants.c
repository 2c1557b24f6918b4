/*
 * One benchmark case: `grants N` maps and unmaps N grants in batches of 32 and prints nanoseconds per pair and a
 * checksum. The world is that of bench/grant_pair.ts: a mapper with page tables, a granter with 448 grants, the same
 * checks, counts, locks (counted) and flushes, in the same order. Frames are found by hashing, as in a sparse machine;
 * with -DFLAT they are array indices.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NR_FRAMES = 4096, GRANTS = 448, BATCH = 32, WORDS = 1024, PER_PAGE = 256, NR_EVENTS = 64 };
enum { E_HYPERCALL, E_OP, E_LOCK, E_ACTIVE, E_TRACK, E_CMPXCHG, E_REF, E_TYPE, E_PTE, E_FLUSH };
enum { T_NONE, T_L1, T_WRITABLE = 7 };
enum { HOST = 2, RO = 4, USER = 8, PTE = 16 };

static double events[NR_EVENTS];
#define COUNT(e) (events[e]++)

/* --- integers to integers, open addressing ------------------------------------------------------------------- */
typedef struct { int32_t *keys, *values; uint32_t mask; } map_t;

static void map_init(map_t *m, uint32_t slots) {
  m->keys = malloc(slots * 4);
  m->values = malloc(slots * 4);
  m->mask = slots - 1;
  for (uint32_t i = 0; i < slots; i++) m->keys[i] = -1;
}
static inline int32_t map_get(const map_t *m, int32_t key) {
#ifdef FLAT
  return m->values[key];
#endif
  for (uint32_t i = ((uint32_t)key * 0x9e3779b1u) >> 7 & m->mask;; i = (i + 1) & m->mask) {
    if (m->keys[i] == key) return m->values[i];
    if (m->keys[i] == -1) return -1;
  }
}
static void map_set(map_t *m, int32_t key, int32_t value) {
#ifdef FLAT
  m->values[key] = value;
  return;
#endif
  uint32_t i = ((uint32_t)key * 0x9e3779b1u) >> 7 & m->mask;
  while (m->keys[i] != -1 && m->keys[i] != key) i = (i + 1) & m->mask;
  m->keys[i] = key;
  m->values[i] = value;
}

/* --- machine memory and the frame table ------------------------------------------------------------------------ */
static map_t slots, rows;
static uint32_t *words;
static int32_t nr_slots, nr_rows;
static int32_t owner[NR_FRAMES], count[NR_FRAMES], type[NR_FRAMES], type_count[NR_FRAMES], validated[NR_FRAMES],
    grant_maps[NR_FRAMES];

static inline uint32_t *word_at(uint64_t maddr) {
  int32_t slot = map_get(&slots, (int32_t)(maddr >> 12));
  if (slot < 0) {
    slot = nr_slots++;
    map_set(&slots, (int32_t)(maddr >> 12), slot);
  }
  return words + (uint64_t)slot * WORDS + (maddr >> 2 & (WORDS - 1));
}
static inline int32_t row_of(uint64_t mfn) { return mfn < NR_FRAMES ? map_get(&rows, (int32_t)mfn) : -1; }
static void assign(int32_t mfn, int32_t domid) {
  int32_t row = nr_rows++;
  map_set(&rows, mfn, row);
  owner[row] = domid;
  count[row] = 1;
}
static inline int get_page(uint64_t mfn, int32_t domid) {
  int32_t row = row_of(mfn);
  if (row < 0 || owner[row] != domid || count[row] <= 0) return 0;
  count[row]++;
  COUNT(E_REF);
  return 1;
}
static inline void put_page(uint64_t mfn) {
  COUNT(E_REF);
  if (--count[row_of(mfn)] == 0) abort();
}
static inline int get_type(uint64_t mfn, int32_t wanted) {
  int32_t row = row_of(mfn);
  if (type_count[row] > 0 && type[row] != wanted) return 0;
  type[row] = wanted;
  type_count[row]++;
  validated[row] = 1;
  COUNT(E_TYPE);
  return 1;
}
static inline void put_type(uint64_t mfn) {
  COUNT(E_TYPE);
  type_count[row_of(mfn)]--;
}

/* --- domains ---------------------------------------------------------------------------------------------------- */
typedef struct {
  int32_t nr_entries, pin[512], user[512];
  double mfn[512];
  uint64_t shared;
} table_t;
static table_t table; /* the granter's; domid 1 */
static int32_t head, tail, limit;
static int32_t t_ref[4096], t_flags[4096], t_domid[4096];
static double t_pte[4096];
static int flushes;

static inline int32_t track_get(void) {
  if (head == -1 || t_ref[head] == -1) return -1;
  int32_t h = head;
  head = t_ref[h];
  COUNT(E_TRACK);
  return h;
}
static inline void track_put(int32_t h) {
  t_flags[h] = 0;
  t_pte[h] = -1;
  t_ref[h] = -1;
  t_ref[tail] = h;
  tail = h;
  COUNT(E_TRACK);
}
static inline int lock_l1e(uint64_t pte) {
  if (pte & 7) return 0;
  uint64_t mfn = pte >> 12;
  if (!get_page(mfn, 0)) return 0;
  int32_t row = row_of(mfn);
  if (type_count[row] > 0 && validated[row] && type[row] == T_L1) return 1;
  put_page(mfn);
  return 0;
}
static inline uint64_t pte_of(uint64_t mfn, uint32_t flags) {
  uint64_t e = 1 | 1u << 5 | 1u << 6 | 1ull << 63;
  if (flags & USER) e |= 4;
  if (!(flags & RO)) e |= 2;
  if (!(e & 4)) e |= 1ull << 52 | 4;
  else e |= 1u << 8;
  return e | mfn << 12;
}
static inline void write_pte(uint64_t pte, uint64_t e) {
  COUNT(E_PTE);
  uint32_t *w = word_at(pte);
  w[0] = (uint32_t)e;
  w[1] = (uint32_t)(e >> 32);
}
static inline uint64_t read_pte(uint64_t pte) {
  uint32_t *w = word_at(pte);
  return w[0] | (uint64_t)w[1] << 32;
}

typedef struct { uint64_t addr, bus; uint32_t flags, ref, handle; uint16_t dom; int16_t status; } op_t;

static int16_t set_status(uint32_t ref, int readonly) {
  uint64_t entry = table.shared + ref * 8;
  uint32_t header = *word_at(entry);
  for (int attempt = 0; attempt < 5; attempt++) {
    uint32_t f = header & 0xffff;
    if (!table.pin[ref] && ((f & 0x103) != 1 || header >> 16 != 0)) return -1;
    uint32_t wanted = f | 8;
    if (!readonly) {
      if (f & 4) return -1;
      wanted |= 16;
    }
    COUNT(E_CMPXCHG);
    uint32_t *w = word_at(entry);
    if (*w == header) {
      *w = (header & 0xffff0000) | wanted;
      return 0;
    }
    header = *w;
  }
  return -1;
}
static inline void reduce_status(uint32_t ref, int readonly) {
  uint32_t bits = 0, pin = (uint32_t)table.pin[ref];
  if (!readonly && !(pin & 0x00ff00ff)) bits |= 16;
  if (!pin) bits |= 8;
  if (!bits) return;
  COUNT(E_CMPXCHG);
  *word_at(table.shared + ref * 8) &= ~bits;
}

__attribute__((noinline)) static void map_one(op_t *op) {
  COUNT(E_OP);
  if (!(op->flags & 3)) { op->status = -3; return; }
  if (op->dom != 1) { op->status = -2; return; }
  int32_t handle = track_get();
  if (handle < 0) { op->status = -13; return; }
  int readonly = (op->flags & RO) != 0;
  int32_t inc = readonly ? 1 << 8 : 1;
  op->status = -1;
  COUNT(E_LOCK);
  if (op->ref >= (uint32_t)table.nr_entries) { op->status = -3; goto fail; }
  COUNT(E_ACTIVE);
  int32_t pin = table.pin[op->ref];
  if (pin && (table.user[op->ref] != 0 || (pin & inc << 7))) goto fail;
  if (!pin || (!readonly && !(pin & 0x00ff00ff))) {
    if (set_status(op->ref, readonly)) goto fail;
    if (!pin) {
      uint32_t frame = word_at(table.shared + op->ref * 8)[1];
      if (!get_page(frame, 1)) { reduce_status(op->ref, readonly); op->status = -9; goto fail; }
      table.mfn[op->ref] = frame;
      table.user[op->ref] = 0;
    }
  }
  table.pin[op->ref] = pin + inc;
  uint64_t mfn = (uint64_t)table.mfn[op->ref];
  if (owner[row_of(mfn)] != 1) goto undo;
  if (!readonly && !get_type(mfn, T_WRITABLE)) goto undo;
  if (!lock_l1e(op->addr)) goto undo;
  uint64_t old = read_pte(op->addr);
  write_pte(op->addr, pte_of(mfn, op->flags));
  put_page(op->addr >> 12);
  if (old & 1) abort();
  grant_maps[row_of(mfn)]++;
  t_domid[handle] = 1;
  t_ref[handle] = (int32_t)op->ref;
  t_pte[handle] = (double)op->addr;
  t_flags[handle] = (int32_t)(op->flags & 0xffff);
  op->handle = (uint32_t)handle;
  op->bus = mfn << 12;
  op->status = 0;
  return;
undo:
  table.pin[op->ref] -= inc;
  reduce_status(op->ref, readonly);
fail:
  track_put(handle);
}

typedef struct { uint32_t done, ref; uint64_t mfn; } common_t;

__attribute__((noinline)) static void unmap_one(op_t *op, common_t *c) {
  COUNT(E_OP);
  c->done = 0;
  op->status = -4;
  if (op->handle >= (uint32_t)limit || !t_flags[op->handle] || t_domid[op->handle] != 1) return;
  COUNT(E_LOCK);
  c->ref = (uint32_t)t_ref[op->handle];
  if (c->ref >= (uint32_t)table.nr_entries) return;
  COUNT(E_ACTIVE);
  c->mfn = (uint64_t)table.mfn[c->ref];
  uint32_t flags = (uint32_t)t_flags[op->handle];
  if (op->addr && (flags & HOST)) {
    op->status = -1;
    if (!lock_l1e(op->addr)) return;
    uint64_t e = read_pte(op->addr);
    int matches = (e >> 12 & 0xffffffffffull) == c->mfn && !((e ^ pte_of(c->mfn, flags)) & 3);
    if (matches) write_pte(op->addr, 0);
    put_page(op->addr >> 12);
    if (!matches) return;
    if (t_pte[op->handle] != (double)op->addr) abort();
    grant_maps[row_of(c->mfn)]--;
    c->done |= HOST | (flags & RO);
  }
  uint32_t left = flags & ~(c->done & ~(uint32_t)RO);
  t_flags[op->handle] = (left & 3) ? (int32_t)left : 0;
  if (!(left & 3)) track_put((int32_t)op->handle);
  op->status = 0;
}
static void complete(common_t *c) {
  if (!c->done) return;
  COUNT(E_LOCK);
  COUNT(E_ACTIVE);
  int readonly = (c->done & RO) != 0;
  if (!readonly) put_type(c->mfn);
  put_page(c->mfn);
  table.pin[c->ref] -= readonly ? 1 << 8 : 1;
  reduce_status(c->ref, readonly);
}

static uint64_t l1;

static double run(long n) {
  static op_t ops[BATCH];
  static common_t commons[BATCH];
  double sum = 0;
  for (long done = 0; done < n; done += BATCH) {
    for (int i = 0; i < BATCH; i++)
      ops[i] = (op_t){l1 + (uint64_t)i * 8, 0, HOST | USER | PTE, 8 + (uint32_t)((done + i) % GRANTS), 0, 1, 77};
    COUNT(E_HYPERCALL);
    for (int i = 0; i < BATCH; i++) {
      map_one(&ops[i]);
      sum += (ops[i].status == 0) + (double)(ops[i].bus >> 12);
    }
    COUNT(E_HYPERCALL);
    for (int i = 0; i < BATCH; i++) unmap_one(&ops[i], &commons[i]);
    COUNT(E_FLUSH);
    flushes++;
    for (int i = 0; i < BATCH; i++) {
      complete(&commons[i]);
      sum += ops[i].status == 0;
    }
  }
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  long n = atol(argv[1]);
  map_init(&slots, 8192);
  map_init(&rows, 8192);
#ifdef FLAT
  for (int i = 0; i < NR_FRAMES; i++) slots.values[i] = rows.values[i] = -1;
#endif
  words = calloc((size_t)NR_FRAMES * WORDS, 4);
  for (int i = 0; i < 64; i++) assign(1 + i, 0);
  for (int i = 0; i < 512; i++) assign(65 + i, 1);
  l1 = 5ull << 12;
  type[row_of(5)] = T_L1;
  type_count[row_of(5)] = 1;
  validated[row_of(5)] = 1;
  table.shared = 4000ull << 12;
  table.nr_entries = 512;
  limit = PER_PAGE;
  for (int i = 0; i < PER_PAGE; i++) {
    t_ref[i] = i + 1 < PER_PAGE ? i + 1 : -1;
    t_pte[i] = -1;
  }
  tail = PER_PAGE - 1;
  for (int i = 0; i < GRANTS; i++) {
    uint32_t *w = word_at(table.shared + (8 + (uint64_t)i) * 8);
    w[0] = 1;
    w[1] = 65 + (uint32_t)i;
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
