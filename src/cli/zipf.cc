#include "cli/zipf.h"

#include <algorithm>
#include <cmath>

namespace armazem::cli {
namespace {

// (e^x - 1) / x and log(1 + x) / x, which are 1 at 0 and lose their digits near it when written so.
double expm1_over(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }
double log1p_over(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }

}  // namespace

Zipf::Zipf(std::uint64_t n, double s) : n_(n), s_(s) {
  from_ = integral(1.5) - 1;
  to_ = integral(static_cast<double>(n) + 0.5);
  sure_ = 2 - integral_inverse(integral(2.5) - density(2));
}

std::uint64_t Zipf::operator()(Random& random) const {
  while (true) {
    const double area = to_ + random.unit() * (from_ - to_);
    const double x = integral_inverse(area);
    const double rank = std::clamp(std::round(x), 1.0, static_cast<double>(n_));
    if (rank - x <= sure_ || area >= integral(rank + 0.5) - density(rank)) return static_cast<std::uint64_t>(rank);
  }
}

double Zipf::density(double x) const { return std::exp(-s_ * std::log(x)); }

double Zipf::integral(double x) const {
  const double log = std::log(x);
  return expm1_over((1 - s_) * log) * log;
}

double Zipf::integral_inverse(double y) const {
  const double t = std::max(-1.0, y * (1 - s_));
  return std::exp(log1p_over(t) * y);
}

}  // namespace armazem::cli
