#include "simulation/arena.h"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace armazem::sim {
namespace {

constexpr std::size_t region_bytes = std::size_t{1} << 30;  // reserved, not used: a run takes a few hundred KiB
constexpr std::size_t grain = 16;
constexpr std::size_t reused_bytes_max = 4096;
// Under AddressSanitizer nothing is used twice and what is given back is poisoned, so that it finds what it would find.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool reuse = false;
extern "C" void __asan_poison_memory_region(void const volatile*, std::size_t);
extern "C" void __asan_unpoison_memory_region(void const volatile*, std::size_t);
#else
constexpr bool reuse = true;
#endif

struct Free {
  Free* next;
};

char* begin = nullptr;
char* next = nullptr;
char* end = nullptr;
bool in_arena = false;
std::array<Free*, reused_bytes_max / grain + 1> free_lists{};

bool contains(const void* memory) noexcept { return memory >= begin && memory < end; }

void reserve() {
  void* const region = ::mmap(nullptr, region_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) std::abort();
  begin = next = static_cast<char*>(region);
  end = begin + region_bytes;
}

void* take(std::size_t bytes) {
  const std::size_t rounded = (bytes + grain - 1) / grain * grain;
  if (reuse && rounded <= reused_bytes_max) {
    if (Free* const found = free_lists[rounded / grain]) {
      free_lists[rounded / grain] = found->next;
      return found;
    }
  }
  if (static_cast<std::size_t>(end - next) < rounded) {
    std::fputs("simulation: a run takes more than 1 GiB of memory\n", stderr);
    std::abort();
  }
  void* const memory = next;
  next += rounded;
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(memory, rounded);
#endif
  return memory;
}

void give_back(void* memory, std::size_t bytes) noexcept {
  const std::size_t rounded = (bytes + grain - 1) / grain * grain;
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(memory, rounded);
#else
  if (bytes == 0 || rounded > reused_bytes_max) return;
  Free* const freed = static_cast<Free*>(memory);
  freed->next = free_lists[rounded / grain];
  free_lists[rounded / grain] = freed;
#endif
}

void* allocate(std::size_t bytes) {
  if (in_arena) return take(bytes == 0 ? 1 : bytes);
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// `bytes` 0: not known, and then it is not used again.
void release(void* memory, std::size_t bytes) noexcept {
  if (!contains(memory)) return std::free(memory);
  give_back(memory, bytes);
}

}  // namespace

void Arena::reset() noexcept {
  if (begin == nullptr) reserve();
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(begin, static_cast<std::size_t>(next - begin));
#endif
  next = begin;
  free_lists.fill(nullptr);
}

std::size_t Arena::used() noexcept { return static_cast<std::size_t>(next - begin); }

bool Arena::in_use() noexcept { return in_arena; }

Arena::Scope::Scope(bool inside) noexcept : before_(in_arena) { in_arena = inside; }
Arena::Scope::~Scope() { in_arena = before_; }

}  // namespace armazem::sim

// The program's own, for all of it.
void* operator new(std::size_t bytes) { return armazem::sim::allocate(bytes); }
void* operator new[](std::size_t bytes) { return armazem::sim::allocate(bytes); }
void operator delete(void* memory) noexcept { armazem::sim::release(memory, 0); }
void operator delete[](void* memory) noexcept { armazem::sim::release(memory, 0); }
void operator delete(void* memory, std::size_t bytes) noexcept { armazem::sim::release(memory, bytes); }
void operator delete[](void* memory, std::size_t bytes) noexcept { armazem::sim::release(memory, bytes); }
