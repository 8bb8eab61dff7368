// What the kernel knows about this process, from /proc/self.
#pragma once

namespace armazem::http {

struct ProcessFigures {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  double start_seconds = 0;  // since the Unix epoch
};
[[nodiscard]] ProcessFigures read_process_figures();

}  // namespace armazem::http
