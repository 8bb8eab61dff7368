#include "http/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace armazem::http {
namespace {

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

// Measured once: the moment this was first asked for, less the time the process has run by its own clock.
double start_seconds() {
  std::ifstream uptime_file("/proc/uptime");
  std::ifstream stat_file("/proc/self/stat");
  double uptime = 0;
  uptime_file >> uptime;
  std::string field;
  std::getline(stat_file, field, ')');  // the name may contain blanks
  for (int i = 3; i <= 22; ++i) stat_file >> field;
  const double started = std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count() - uptime + started;
}

}  // namespace

ProcessFigures read_process_figures() {
  static const double started = start_seconds();
  ProcessFigures figures;
  figures.start_seconds = started;

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  figures.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);

  std::ifstream memory("/proc/self/statm");
  double virtual_pages = 0;
  double resident_pages = 0;
  memory >> virtual_pages >> resident_pages;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  figures.virtual_bytes = virtual_pages * page;
  figures.resident_bytes = resident_pages * page;

  std::error_code ignored;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", ignored);
       entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    ++figures.open_fds;
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  figures.max_fds = static_cast<double>(limit.rlim_cur);
  return figures;
}

}  // namespace armazem::http
