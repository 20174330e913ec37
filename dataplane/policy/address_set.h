#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/base/address.h"

namespace headgate::policy {

// Networks, for lists of any length: an address is found in logarithmic time. Immutable once
// finished; ports do not count, and IPv4 addresses are in no IPv6 network.
class AddressSet {
 public:
  AddressSet() = default;
  // False, and nothing changes: the text is none that base::Cidr takes.
  bool Add(std::string_view network);
  // After the last Add.
  void Finish();

  bool Contains(const base::Address& address) const;
  bool empty() const { return v4_.empty() && v6_.empty(); }

 private:
  struct Number {  // an address, to count with; IPv4 has the lower half alone
    uint64_t high = 0;
    uint64_t low = 0;
    auto operator<=>(const Number&) const = default;
  };
  struct Range {
    Number first;
    Number last;
  };
  static Number ToNumber(const base::Address& address);
  static void Merge(std::vector<Range>& ranges);

  // Sorted, without overlaps, once finished.
  std::vector<Range> v4_;
  std::vector<Range> v6_;
};

}  // namespace headgate::policy
