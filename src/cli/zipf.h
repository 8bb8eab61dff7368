// Zipf's law: rank k of n is drawn with a probability proportional to k^-s.
//
// By rejection-inversion (Hörmann and Derflinger, 1996): no table, the same short time for ten keys and for a billion.
#pragma once

#include <cstdint>

#include "cli/random.h"

namespace armazem::cli {

class Zipf {
 public:
  // n >= 1, 0 < s.
  Zipf(std::uint64_t n, double s);
  // 1 to n; 1 is the most frequent.
  [[nodiscard]] std::uint64_t operator()(Random& random) const;

 private:
  [[nodiscard]] double density(double x) const;           // x^-s
  [[nodiscard]] double integral(double x) const;          // of the density, from 1
  [[nodiscard]] double integral_inverse(double y) const;

  std::uint64_t n_;
  double s_;
  double from_;   // the integral at the left end of rank 1's bar …
  double to_;     // … and at the right end of rank n's
  double sure_;   // closer than this to a rank, no comparison is needed
};

}  // namespace armazem::cli
