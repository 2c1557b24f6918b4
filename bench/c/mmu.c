/* One benchmark case: `mmu CASE N` prints nanoseconds per access and a checksum. The setup is that of bench/mmu_world.ts. */
#include "mmu.h"

#define ADDRESSES 65536
#define BASE 0x7f0000000000ull

static mem_t mem;
static cpu_t cpu;
static result_t out;
static uint64_t va[ADDRESSES];
static int32_t pa_hi[ADDRESSES], pa_lo[ADDRESSES], outcomes[ADDRESSES];

static void world(uint32_t pages) {
  mem_init(&mem, 1 << 20, 65536);
  next_table = 2;
  for (uint32_t i = 0; i < pages; i++)
    map_at(&mem, 1, BASE + ((uint64_t)i << 12), 1, (uint64_t)(0x10000 + i) << 12 | 7, 4);
  cpu_init(&cpu, 1);
  uint32_t x = 1;
  for (int i = 0; i < ADDRESSES; i++) {
    x = x * 1664525u + 1013904223u;
    va[i] = BASE + ((uint64_t)((x >> 8) % pages) << 12 | (x >> 20 & 0xff8));
  }
}

/* A batch over the first-level TLB with the checks folded into a mask, as translateBatch does. */
static NOINLINE long batch(const uint64_t *v, long n, int32_t *hi, int32_t *lo, int32_t *outcome) {
  tlb_t *t = &cpu.data[1];
  uint32_t care = R_USER, need = R_USER, pcid = cpu.pcid;
  long passed = 0;
  for (long k = 0; k < n; k++) {
    entry_t *e = tlb_find(t, 1, v[k], pcid);
    if (e != NULL && (e->rights & care) == need) {
      uint64_t pa = e->base | (v[k] & 0xfff);
      hi[k] = (int32_t)(pa >> 32);
      lo[k] = (int32_t)pa;
      outcome[k] = OK;
      passed++;
      continue;
    }
    outcome[k] = translate(&cpu, &mem, v[k], READ, &out);
    if (outcome[k] == OK) {
      uint64_t pa = out.frame << 12 | (v[k] & 0xfff);
      hi[k] = (int32_t)(pa >> 32);
      lo[k] = (int32_t)pa;
      passed++;
    }
    cpu.counters[TLB_LOOKUP]--;
  }
  cpu.counters[TLB_LOOKUP] += n;
  return passed;
}

static double run_batch(long n) {
  double sum = 0;
  for (long done = 0; done < n; done += ADDRESSES) {
    sum += batch(va, ADDRESSES, pa_hi, pa_lo, outcomes);
    sum += pa_lo[done % ADDRESSES] + pa_lo[ADDRESSES - 1];
  }
  return sum;
}

typedef struct {
  uint64_t va, frame;
  uint32_t rights, level, from_tlb;
} translation_t;

/* What a caller who wants an object gets: a record of its own, made for each call. */
static NOINLINE translation_t *public_call(uint64_t address, int access) {
  translation_t *t = malloc(sizeof *t);
  if (translate(&cpu, &mem, address, access, &out) != OK) return free(t), NULL;
  t->va = address;
  t->frame = out.frame;
  t->rights = out.rights;
  t->level = out.level;
  t->from_tlb = out.from_tlb;
  return t;
}

static double run_object(long n) {
  double sum = 0;
  for (long i = 0; i < n; i++) {
    translation_t *t = public_call(va[i % ADDRESSES], READ);
    sum += t->frame + t->level;
    free(t);
  }
  return sum;
}

static double run_walk(long n) {
  double sum = 0;
  for (long i = 0; i < n; i++) {
    walk(&cpu, &mem, va[i % ADDRESSES], i & 7 ? READ : WRITE, &out);
    sum += out.frame + out.rights;
  }
  return sum;
}

static double run_translate(long n) {
  double sum = 0;
  memset(cpu.counters, 0, sizeof cpu.counters);
  for (long i = 0; i < n; i++) {
    translate(&cpu, &mem, va[i % ADDRESSES], i & 7 ? READ : WRITE, &out);
    sum += out.frame;
  }
  return sum;
}

static ept_t nested;

static void ept_map(mem_t *m, uint64_t root, uint64_t gpa, uint64_t entry) { map_at(m, root, gpa, 1, entry, 4); }

/* Guest tables and pages at guest-physical frame f lie at machine frame f + 0x40000, mapped by 4 KiB entries. */
static void nested_world(uint32_t pages) {
  mem_init(&mem, 1 << 20, 65536);
  nested.root = 0x80000;
  nested.reserved = 0x000fc00000000000ull;
  mem_t scratch;
  mem_init(&scratch, 1 << 20, 65536);
  next_table = 2;
  for (uint32_t i = 0; i < pages; i++)
    map_at(&scratch, 1, BASE + ((uint64_t)i << 12), 1, (uint64_t)(0x10000 + i) << 12 | 7, 4);
  for (uint64_t f = 0; f < next_table; f++) {
    int32_t slot = slot_of(&scratch, f);
    if (slot < 0) continue;
    memcpy(mem.words + ((size_t)make_slot(&mem, f + 0x40000) << 9), scratch.words + ((size_t)slot << 9), 4096);
  }
  uint64_t guest_tables = next_table;
  next_table = 0x80001;
  for (uint64_t f = 0; f < guest_tables; f++) ept_map(&mem, nested.root, f << 12, (f + 0x40000) << 12 | 0x37);
  for (uint64_t f = 0x10000; f < 0x10000 + pages; f++)
    ept_map(&mem, nested.root, f << 12, (f + 0x40000) << 12 | 0x37);
  cpu_init(&cpu, 1);
  uint32_t x = 1;
  for (int i = 0; i < ADDRESSES; i++) {
    x = x * 1664525u + 1013904223u;
    va[i] = BASE + ((uint64_t)((x >> 8) % pages) << 12 | (x >> 20 & 0xff8));
  }
}

static double run_nested(long n) {
  double sum = 0;
  for (long i = 0; i < n; i++) {
    nested_walk(&cpu, &mem, &nested, va[i % ADDRESSES], i & 7 ? READ : WRITE, &out);
    sum += out.frame + out.rights;
  }
  return sum;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  long n = atol(argv[2]);
  if (!strcmp(argv[1], "batch") || !strcmp(argv[1], "object")) {
    world(48);
    skylake(&cpu);
    return report(*argv[1] == 'b' ? run_batch : run_object, n);
  }
  if (!strcmp(argv[1], "walk")) {
    world(16384);
    return report(run_walk, n);
  }
  if (!strcmp(argv[1], "translate")) {
    world(4096);
    skylake(&cpu);
    return report(run_translate, n);
  }
  if (!strcmp(argv[1], "nested")) {
    nested_world(16384);
    return report(run_nested, n);
  }
  return 2;
}
