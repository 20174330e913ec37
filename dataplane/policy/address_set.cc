#include "dataplane/policy/address_set.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace headgate::policy {
namespace {

// The lowest `count` bits; of 64 at most.
uint64_t LowBits(unsigned count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

}  // namespace

bool AddressSet::Add(std::string_view network) {
  if (!base::Cidr::Parse(network)) return false;
  const size_t slash = network.find('/');
  const base::Address address = *base::Address::ParseIp(network.substr(0, slash), 0);
  const bool v4 = address.is_v4();
  unsigned host_bits = 0;
  if (slash != std::string_view::npos) {
    unsigned length = 0;
    const std::string_view digits = network.substr(slash + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    // The length of an IPv4-mapped prefix is counted in the IPv6 address.
    const bool whole = v4 && network.find(':') == std::string_view::npos;
    host_bits = (whole ? 32u : 128u) - length;
  }
  const Number host{host_bits > 64 ? LowBits(host_bits - 64) : 0, LowBits(host_bits)};
  const Number base = ToNumber(address);
  (v4 ? v4_ : v6_)
      .push_back({{base.high & ~host.high, base.low & ~host.low},
                  {base.high | host.high, base.low | host.low}});
  return true;
}

void AddressSet::Finish() {
  Merge(v4_);
  Merge(v6_);
}

AddressSet::Number AddressSet::ToNumber(const base::Address& address) {
  Number number;
  for (const char c : address.bytes()) {
    number.high = number.high << 8 | number.low >> 56;
    number.low = number.low << 8 | static_cast<uint8_t>(c);
  }
  return number;
}

void AddressSet::Merge(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.first < b.first; });
  size_t kept = 0;
  for (const Range& range : ranges) {
    if (kept > 0 && range.first <= ranges[kept - 1].last) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
  ranges.shrink_to_fit();
}

bool AddressSet::Contains(const base::Address& address) const {
  const std::vector<Range>& ranges = address.is_v4() ? v4_ : v6_;
  const Number number = ToNumber(address);
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), number,
                                      [](const Number& n, const Range& r) { return n < r.first; });
  return after != ranges.begin() && number <= std::prev(after)->last;
}

}  // namespace headgate::policy
