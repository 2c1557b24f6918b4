/*
 * The yardstick: an x86-64 MMU in plain C, doing what the TypeScript model does access by access. Same memory (a hash
 * from frame to slot), same TLB geometry and replacement, same checks, same counters; the checksums of both must agree.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

enum { READ, WRITE, FETCH, IMPLICIT };
enum { OK, PAGE_FAULT, GENERAL_PROTECTION, NO_MEMORY };
enum {
  R_WRITE = 1 << 1, R_USER = 1 << 2, R_CACHE = 3 << 3, R_DIRTY = 1 << 6, R_PAT = 1 << 7, R_GLOBAL = 1 << 8,
  R_NX = 1 << 9, R_LEVEL = 10, R_KEY = 12
};
enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
enum {
  NOT_PRESENT = 1, RESERVED, SUPERVISOR_PAGE, READ_ONLY_USER, READ_ONLY_WP, WHY_NX, WHY_SMEP, WHY_SMAP,
  WHY_SMAP_IMPLICIT, WHY_PKRU, WHY_PKRS, NOT_CANONICAL
};
enum { TLB_LOOKUP, TLB_MISS, STLB_HIT, WALK_STEP, AD_UPDATE, FAULTS, NR_COUNTERS };

#define CR0_WP (1u << 16)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define CR4_PGE (1u << 7)
#define CR4_LA57 (1u << 12)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
#define CR4_PKE (1u << 22)
#define CR4_PKS (1u << 24)
#define EFER_NXE (1u << 11)
#define PA_MASK 0x000ffffffffff000ull

/* --- memory: frames exist from their first write ------------------------------------------------------------- */

typedef struct {
  uint64_t nr_frames;
  int32_t *keys, *values;
  uint32_t mask;
  uint64_t *words; /* 512 entries a slot */
  int32_t nr_slots;
} mem_t;

static inline int32_t slot_of(const mem_t *m, uint64_t frame) {
#ifdef FLAT
  return frame < m->nr_frames ? (int32_t)frame : -1;
#else
  if (frame >= m->nr_frames) return -1;
  uint32_t i = ((uint32_t)frame * 0x9e3779b1u) >> 7 & m->mask;
  for (;; i = (i + 1) & m->mask) {
    if (m->keys[i] == (int32_t)frame) return m->values[i];
    if (m->keys[i] == -1) return -1;
  }
#endif
}

static void mem_init(mem_t *m, uint64_t nr_frames, uint32_t slots) {
  m->nr_frames = nr_frames;
  m->mask = 1;
  while (m->mask < slots * 2) m->mask *= 2;
  m->keys = malloc(m->mask * 4);
  m->values = malloc(m->mask * 4);
  memset(m->keys, 0xff, m->mask * 4);
  m->mask--;
  m->words = calloc((size_t)slots, 4096);
  m->nr_slots = 0;
}

static int32_t make_slot(mem_t *m, uint64_t frame) {
#ifdef FLAT
  return (int32_t)frame;
#else
  int32_t slot = slot_of(m, frame);
  if (slot >= 0) return slot;
  uint32_t i = ((uint32_t)frame * 0x9e3779b1u) >> 7 & m->mask;
  while (m->keys[i] != -1) i = (i + 1) & m->mask;
  m->keys[i] = (int32_t)frame;
  return m->values[i] = m->nr_slots++;
#endif
}

/* --- the processor ------------------------------------------------------------------------------------------- */

typedef struct {
  uint32_t tag_lo, tag_hi;
  int32_t asid;
  uint32_t rights;
  uint64_t base;
  uint64_t unused;
} entry_t;

typedef struct {
  entry_t *e;
  uint32_t set_mask, ways;
  uint32_t *victim, *used;
  uint32_t live[6];
} tlb_t;

typedef struct {
  uint32_t cr0, cr4, efer, pkru, pkrs, cpl, ac, pcid;
  uint64_t root, reserved; /* reserved physical-address bits (and NX) */
  double counters[NR_COUNTERS];
  uint64_t cr2;
  tlb_t data[4], second[4], structures[6]; /* by level; ways = 0: absent */
} cpu_t;

typedef struct {
  uint32_t outcome, level, rights, error, why, from_tlb;
  uint64_t frame;
  uint64_t entry[6];
} result_t;

static const uint64_t RESERVED_LEAF[6] = {0, 0, 0x1fe000, 0x3fffe000, 0, 0};
static const uint64_t RESERVED_TABLE[6] = {0, 0, 0, 0, 0x80, 0x80};
static const uint8_t SHIFT[6] = {0, 12, 21, 30, 39, 48};

static void tlb_init(tlb_t *t, uint32_t sets, uint32_t ways) {
  memset(t, 0, sizeof *t);
  t->e = calloc((size_t)sets * ways, sizeof(entry_t));
  t->set_mask = sets - 1;
  t->ways = ways;
  t->victim = calloc(sets, 4);
  t->used = calloc(sets, 4);
}

static inline entry_t *tlb_find(const tlb_t *t, int level, uint64_t va, int32_t pcid) {
  uint64_t page = va >> SHIFT[level];
  uint32_t lo = (uint32_t)page, hi = (uint32_t)level << 20 | (uint32_t)(page >> 32);
  entry_t *e = t->e + (size_t)(lo & t->set_mask) * t->ways;
  for (entry_t *end = e + t->ways; e < end; e++)
    if (e->tag_lo == lo && e->tag_hi == hi && (e->asid == pcid || e->asid == -1)) return e;
  return NULL;
}

/* The caller knows that no such entry is there. */
static entry_t *tlb_insert(tlb_t *t, int level, uint64_t va, int32_t asid, uint32_t rights, uint64_t base) {
  uint64_t page = va >> SHIFT[level];
  uint32_t lo = (uint32_t)page, hi = (uint32_t)level << 20 | (uint32_t)(page >> 32);
  uint32_t set = lo & t->set_mask;
  entry_t *place = t->e + (size_t)set * t->ways;
  if (t->used[set] < t->ways) {
    t->used[set]++;
    while (place->tag_hi != 0) place++;
  } else {
    place += t->victim[set];
    t->victim[set] = t->victim[set] + 1 == t->ways ? 0 : t->victim[set] + 1;
    t->live[place->tag_hi >> 20]--;
  }
  t->live[level]++;
  place->tag_lo = lo;
  place->tag_hi = hi;
  place->asid = asid;
  place->rights = rights;
  place->base = base;
  return place;
}

static void tlb_drop(tlb_t *t, int level, uint64_t va, int32_t pcid) {
  if (t->ways == 0) return;
  for (entry_t *e; (e = tlb_find(t, level, va, pcid)) != NULL;) {
    t->live[level]--;
    t->used[(e - t->e) / t->ways]--;
    e->tag_hi = 0;
  }
}

static inline int is_user(const cpu_t *c, int access) { return c->cpl == 3 && access != IMPLICIT; }

static uint32_t key_denial(const cpu_t *c, int access, uint32_t rights) {
  if (access == FETCH) return 0;
  int user = (rights & R_USER) != 0;
  if ((c->cr4 & (user ? CR4_PKE : CR4_PKS)) == 0) return 0;
  uint32_t bits = (user ? c->pkru : c->pkrs) >> 2 * (rights >> R_KEY & 15);
  uint32_t why = user ? WHY_PKRU : WHY_PKRS;
  if (bits & 1) return why;
  if ((bits & 2) && access == WRITE && ((c->cr0 & CR0_WP) || is_user(c, access))) return why;
  return 0;
}

static inline uint32_t denial(const cpu_t *c, int access, uint32_t rights) {
  if (is_user(c, access)) {
    if (!(rights & R_USER)) return SUPERVISOR_PAGE;
    if (access == WRITE && !(rights & R_WRITE)) return READ_ONLY_USER;
    if (access == FETCH && (rights & R_NX)) return WHY_NX;
  } else if (access == FETCH) {
    if ((rights & R_USER) && (c->cr4 & CR4_SMEP)) return WHY_SMEP;
    if (rights & R_NX) return WHY_NX;
  } else {
    if ((rights & R_USER) && (c->cr4 & CR4_SMAP)) {
      if (access == IMPLICIT) return WHY_SMAP_IMPLICIT;
      if (c->ac == 0) return WHY_SMAP;
    }
    if (access == WRITE && !(rights & R_WRITE) && (c->cr0 & CR0_WP)) return READ_ONLY_WP;
  }
  return (c->cr4 & (CR4_PKE | CR4_PKS)) == 0 ? 0 : key_denial(c, access, rights);
}

static uint32_t access_bits(const cpu_t *c, int access) {
  uint32_t bits = access == WRITE ? 2 : 0;
  if (is_user(c, access)) bits |= 4;
  if (access == FETCH && ((c->cr4 & CR4_SMEP) || (c->efer & EFER_NXE))) bits |= 16;
  return bits;
}

static NOINLINE uint32_t fault(cpu_t *c, int access, int level, uint32_t why, uint32_t error, result_t *out) {
  out->level = level;
  out->why = why;
  out->error = error | access_bits(c, access);
  return out->outcome = PAGE_FAULT;
}

static NOINLINE uint32_t walk(cpu_t *c, const mem_t *m, uint64_t va, int access, result_t *out) {
  out->from_tlb = 0;
  out->why = 0;
  if (!(c->cr0 & CR0_PG)) {
    out->frame = va >> 12;
    return out->outcome = OK;
  }
  int level = c->cr4 & CR4_LA57 ? 5 : 4;
  int64_t top = (int64_t)va >> (level == 5 ? 56 : 47);
  if (top != 0 && top != -1) {
    out->why = NOT_CANONICAL;
    return out->outcome = GENERAL_PROTECTION;
  }
  uint64_t table = c->root, entry, *at;
  uint32_t both = R_WRITE | R_USER;
  uint64_t either = 0;
  uint32_t steps = 0, updates = 0;
  int cached = c->structures[2].ways != 0;
  if (cached) {
    for (int l = 2; l <= level; l++) {
      if (c->structures[l].ways == 0 || c->structures[l].live[l] == 0) continue;
      entry_t *e = tlb_find(&c->structures[l], l, va, c->pcid);
      if (e == NULL) continue;
      both = e->rights & (R_WRITE | R_USER);
      if (e->rights & R_NX) either = 1ull << 63;
      table = e->base >> 12;
      level = l - 1;
      break;
    }
  }
  for (;; level--) {
    int32_t slot = slot_of(m, table);
    if (slot >= 0) {
      at = m->words + ((size_t)slot << 9 | (va >> SHIFT[level] & 511));
      entry = *at;
    } else {
      if (table >= m->nr_frames) {
        out->level = level;
        out->frame = table;
        return out->outcome = NO_MEMORY;
      }
      at = NULL;
      entry = 0;
    }
    steps++;
    out->entry[level] = entry;
    if (!(entry & P)) {
      c->counters[WALK_STEP] += steps;
      c->counters[AD_UPDATE] += updates;
      return fault(c, access, level, NOT_PRESENT, 0, out);
    }
    int leaf = level == 1 || (level <= 3 && (entry & PS));
    if (entry & ((leaf ? RESERVED_LEAF[level] : RESERVED_TABLE[level]) | c->reserved)) {
      c->counters[WALK_STEP] += steps;
      c->counters[AD_UPDATE] += updates;
      return fault(c, access, level, RESERVED, 9, out);
    }
    both &= (uint32_t)entry;
    either |= entry;
    if (leaf) break;
    if (!(entry & A)) {
      *at = entry | A;
      updates++;
    }
    if (cached && c->structures[level].ways != 0)
      tlb_insert(&c->structures[level], level, va, c->pcid, both | (either >> 63 ? R_NX : 0), entry & PA_MASK);
    table = (entry & PA_MASK) >> 12;
  }
  uint64_t offset = (1ull << SHIFT[level]) - 1;
  out->frame = ((entry & PA_MASK & ~offset) | (va & offset)) >> 12;
  out->level = level;
  uint32_t rights = both | ((uint32_t)entry & (R_CACHE | R_DIRTY | R_GLOBAL)) | (uint32_t)level << R_LEVEL |
                    (uint32_t)(entry >> 59 & 15) << R_KEY;
  if (either >> 63) rights |= R_NX;
  if (entry & (level == 1 ? 0x80 : 0x1000)) rights |= R_PAT;
  if (!(c->cr4 & CR4_PGE)) rights &= ~(uint32_t)R_GLOBAL;
  uint32_t why = denial(c, access, rights);
  if (why) {
    out->rights = rights;
    c->counters[WALK_STEP] += steps;
    c->counters[AD_UPDATE] += updates;
    return fault(c, access, level, why, 1 | (key_denial(c, access, rights) ? 32 : 0), out);
  }
  uint64_t wanted = access == WRITE ? A | D : A;
  if ((entry & wanted) != wanted) {
    *at = entry | wanted;
    updates++;
  }
  if (access == WRITE) rights |= R_DIRTY;
  out->rights = rights;
  c->counters[WALK_STEP] += steps;
  if (updates) c->counters[AD_UPDATE] += updates;
  return out->outcome = OK;
}

static void drop_page(cpu_t *c, uint64_t va) {
  for (int level = 1; level <= 3; level++) {
    tlb_drop(&c->data[level], level, va, c->pcid);
    tlb_drop(&c->second[level == 1 ? 2 : level], level, va, c->pcid);
  }
}

static inline entry_t *level_find(tlb_t *banks, int shared, uint64_t va, int32_t pcid) {
  entry_t *e = tlb_find(&banks[shared ? 2 : 1], 1, va, pcid);
  if (e == NULL && banks[2].live[2]) e = tlb_find(&banks[2], 2, va, pcid);
  if (e == NULL && banks[3].live[3]) e = tlb_find(&banks[3], 3, va, pcid);
  return e;
}

static NOINLINE uint32_t translate(cpu_t *c, const mem_t *m, uint64_t va, int access, result_t *out) {
  c->counters[TLB_LOOKUP]++;
  entry_t *e = level_find(c->data, 0, va, c->pcid);
  if (e == NULL && c->second[2].ways != 0) {
    e = level_find(c->second, 1, va, c->pcid);
    if (e != NULL) {
      c->counters[STLB_HIT]++;
      int level = e->rights >> R_LEVEL & 3;
      e = tlb_insert(&c->data[level], level, va, e->asid, e->rights, e->base);
    }
  }
  if (e != NULL) {
    uint32_t why = denial(c, access, e->rights);
    int level = e->rights >> R_LEVEL & 3;
    if (why) {
      c->counters[FAULTS]++;
      out->rights = e->rights;
      out->from_tlb = 1;
      fault(c, access, level, why, 1 | (key_denial(c, access, e->rights) ? 32 : 0), out);
      c->cr2 = va;
      drop_page(c, va);
      return PAGE_FAULT;
    }
    if (access != WRITE || (e->rights & R_DIRTY)) {
      out->frame = (e->base | (va & ((1ull << SHIFT[level]) - 1))) >> 12;
      out->level = level;
      out->rights = e->rights;
      out->why = 0;
      out->from_tlb = 1;
      return out->outcome = OK;
    }
    drop_page(c, va);
  }
  c->counters[TLB_MISS]++;
  uint32_t outcome = walk(c, m, va, access, out);
  if (outcome == OK) {
    int level = out->level;
    if (level != 0) {
      uint64_t base = out->entry[level] & PA_MASK & ~((1ull << SHIFT[level]) - 1);
      int32_t asid = out->rights & R_GLOBAL ? -1 : (int32_t)c->pcid;
      tlb_insert(&c->data[level], level, va, asid, out->rights, base);
      if (c->second[2].ways != 0)
        tlb_insert(&c->second[level == 1 ? 2 : level], level, va, asid, out->rights, base);
    }
  } else if (outcome == PAGE_FAULT) {
    c->counters[FAULTS]++;
    c->cr2 = va;
    drop_page(c, va);
  }
  return outcome;
}

/* --- nested paging: EPT without accessed and dirty flags ------------------------------------------------------- */

typedef struct {
  uint64_t root, reserved;
  uint64_t pa, gpa;
  uint32_t outcome, level, type, qualification, writable;
  double steps;
} ept_t;

enum { N_READ, N_WRITE, N_FETCH, N_TABLE_READ, N_TABLE_WRITE };
static const uint64_t EPT_LEAF[6] = {0, 0, 0x1ff000, 0x3ffff000, 0, 0};
static const uint64_t EPT_TABLE[6] = {0, 0, 0x78, 0x78, 0xf8, 0xf8};

static NOINLINE uint32_t ept_violation(ept_t *t, int level, uint32_t rights, int use, int steps) {
  static const uint32_t asked[5] = {1, 2, 4, 1, 2};
  t->steps += steps;
  t->level = level;
  t->qualification = asked[use] | rights << 3 | 0x80 | (use >= N_TABLE_READ ? 0 : 0x100);
  return t->outcome = 1;
}

static inline uint32_t ept_translate(ept_t *t, const mem_t *m, uint64_t gpa, int use) {
  static const uint32_t needs[5] = {1, 2, 4, 1, 2};
  t->gpa = gpa;
  if (gpa >> 48) return ept_violation(t, 4, 0, use, 0);
  uint64_t table = t->root;
  uint32_t rights = 7, needed = needs[use];
  int steps = 0;
  for (int level = 4;; level--) {
    int32_t slot = slot_of(m, table);
    if (slot < 0 && table >= m->nr_frames) {
      t->level = level;
      return t->outcome = 4;
    }
    uint64_t entry = slot < 0 ? 0 : m->words[(size_t)slot << 9 | (gpa >> SHIFT[level] & 511)];
    steps++;
    if (!(entry & 7)) return ept_violation(t, level, 0, use, steps);
    int leaf = level == 1 || (level <= 3 && (entry & PS));
    uint32_t type = entry >> 3 & 7;
    if ((entry & 3) == 2 || (entry & t->reserved) ||
        (leaf ? (entry & EPT_LEAF[level]) || type == 2 || type == 3 || type == 7 : entry & EPT_TABLE[level])) {
      t->level = level;
      return t->outcome = 2;
    }
    rights &= (uint32_t)entry;
    if (leaf) {
      if ((rights & needed) != needed) return ept_violation(t, level, rights, use, steps);
      uint64_t offset = (1ull << SHIFT[level]) - 1;
      t->pa = (entry & PA_MASK & ~offset) | (gpa & offset);
      t->level = level;
      t->writable = rights >> 1 & 1;
      t->type = type;
      t->steps += steps;
      return t->outcome = 0;
    }
    table = (entry & PA_MASK) >> 12;
  }
}

static NOINLINE uint32_t nested_walk(cpu_t *c, const mem_t *m, ept_t *t, uint64_t va, int access, result_t *out) {
  int level = c->cr4 & CR4_LA57 ? 5 : 4;
  int64_t top = (int64_t)va >> (level == 5 ? 56 : 47);
  out->from_tlb = 0;
  out->why = 0;
  if (top != 0 && top != -1) return out->outcome = GENERAL_PROTECTION;
  uint64_t table = c->root << 12, entry, either = 0;
  uint32_t both = R_WRITE | R_USER;
  int steps = 0, updates = 0;
  for (;; level--) {
    uint64_t gpa = table | (va >> SHIFT[level] & 511) << 3;
    if (ept_translate(t, m, gpa, N_TABLE_READ)) return out->outcome = 4;
    int32_t slot = slot_of(m, t->pa >> 12);
    uint64_t *at = m->words + ((size_t)slot << 9 | (t->pa >> 3 & 511));
    entry = slot < 0 ? 0 : *at;
    steps++;
    out->entry[level] = entry;
    if (!(entry & P)) return fault(c, access, level, NOT_PRESENT, 0, out);
    int leaf = level == 1 || (level <= 3 && (entry & PS));
    if (entry & ((leaf ? RESERVED_LEAF[level] : RESERVED_TABLE[level]) | c->reserved))
      return fault(c, access, level, RESERVED, 9, out);
    both &= (uint32_t)entry;
    either |= entry;
    uint64_t wanted = A;
    if (leaf) {
      uint32_t rights = both | ((uint32_t)entry & (R_CACHE | R_DIRTY | R_GLOBAL)) | (uint32_t)level << R_LEVEL |
                        (uint32_t)(entry >> 59 & 15) << R_KEY;
      if (either >> 63) rights |= R_NX;
      if (entry & (level == 1 ? 0x80 : 0x1000)) rights |= R_PAT;
      if (!(c->cr4 & CR4_PGE)) rights &= ~(uint32_t)R_GLOBAL;
      out->level = level;
      uint32_t why = denial(c, access, rights);
      if (why) return fault(c, access, level, why, 1 | (key_denial(c, access, rights) ? 32 : 0), out);
      if (access == WRITE) {
        wanted |= D;
        rights |= R_DIRTY;
      }
      out->rights = rights;
    }
    if ((entry & wanted) != wanted) {
      if (!t->writable && ept_translate(t, m, gpa, N_TABLE_WRITE)) return out->outcome = 4;
      *at = entry | wanted;
      updates++;
    }
    if (leaf) break;
    table = entry & PA_MASK;
  }
  c->counters[WALK_STEP] += steps;
  if (updates) c->counters[AD_UPDATE] += updates;
  uint64_t offset = (1ull << SHIFT[level]) - 1;
  uint64_t gpa = (entry & PA_MASK & ~offset) | (va & offset);
  if (ept_translate(t, m, gpa, access == WRITE ? N_WRITE : access == FETCH ? N_FETCH : N_READ)) return out->outcome = 4;
  out->frame = t->pa >> 12;
  return out->outcome = OK;
}

/* --- building the tables ------------------------------------------------------------------------------------- */

static uint64_t next_table;

static void map_at(mem_t *m, uint64_t root, uint64_t va, int leaf_level, uint64_t entry, int top) {
  uint64_t table = root;
  for (int level = top;; level--) {
    uint64_t *at = m->words + ((size_t)make_slot(m, table) << 9 | (va >> SHIFT[level] & 511));
    if (level == leaf_level) {
      *at = entry;
      return;
    }
    if (!(*at & P)) *at = next_table++ << 12 | 7;
    table = (*at & PA_MASK) >> 12;
  }
}

static void cpu_init(cpu_t *c, uint64_t root) {
  memset(c, 0, sizeof *c);
  c->cr0 = CR0_PG | CR0_WP | 1;
  c->cr4 = CR4_PAE | CR4_PGE;
  c->efer = EFER_NXE;
  c->cpl = 3;
  c->root = root;
  c->reserved = 0x000fc00000000000ull; /* MAXPHYADDR 46, NXE = 1 */
}

static void skylake(cpu_t *c) {
  tlb_init(&c->data[1], 16, 4);
  tlb_init(&c->data[2], 8, 4);
  tlb_init(&c->data[3], 1, 4);
  tlb_init(&c->second[2], 128, 12);
  tlb_init(&c->second[3], 4, 4);
  tlb_init(&c->structures[2], 1, 32);
  tlb_init(&c->structures[3], 1, 4);
  tlb_init(&c->structures[4], 1, 2);
}

/* --- measuring ------------------------------------------------------------------------------------------------ */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int report(double (*run)(long), long n) {
  double sum = run(n), best = 1e300;
  for (int i = 0; i < 5; i++) {
    double start = now();
    sum = run(n);
    double took = now() - start;
    if (took < best) best = took;
  }
  printf("{\"nanoseconds\":%.17g,\"checksum\":%.17g}\n", best / n, sum);
  return 0;
}
