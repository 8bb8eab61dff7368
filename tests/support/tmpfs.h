// A small disk of its own, to fill up: a tmpfs, which only root may mount.
#pragma once

#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temp_dir.h"

namespace armazem::test {

class Tmpfs {
 public:
  explicit Tmpfs(std::size_t bytes) {
    const std::string options = "size=" + std::to_string(bytes);
    mounted_ = ::mount("tmpfs", dir_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) why_not_ = std::string("mounting a tmpfs needs root: ") + std::strerror(errno);
  }
  ~Tmpfs() {
    // Detached, because a failed test may still hold files open.
    if (mounted_) ::umount2(dir_.path().c_str(), MNT_DETACH);
  }

  [[nodiscard]] bool mounted() const noexcept { return mounted_; }
  [[nodiscard]] const std::string& why_not() const noexcept { return why_not_; }
  [[nodiscard]] std::string sub(const std::string& name) const { return dir_.sub(name); }
  [[nodiscard]] std::uintmax_t free_bytes() const { return std::filesystem::space(dir_.path()).available; }
  bool make_read_only() { return ::mount(nullptr, dir_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0; }

  // Leaves about that much room.
  void fill_until(std::uintmax_t bytes_left) {
    std::ofstream filler(sub("filler"), std::ios::binary | std::ios::app);
    const std::string block(std::size_t{64} << 10, 'x');
    while (free_bytes() > bytes_left + block.size() && filler.flush()) filler << block;
  }
  void make_room() { std::filesystem::remove(sub("filler")); }

 private:
  TempDir dir_;
  bool mounted_ = false;
  std::string why_not_;
};

}  // namespace armazem::test
