#pragma once

#include <cstddef>
#include <string_view>

namespace headgate::http1 {

// Finds where a message head ends, looking at each byte once however the bytes arrive.
//
// The end is the first line feed that is followed by an empty line; a line feed alone counts as a
// line end here, so that a head with bare line feeds is found and then refused by the parser
// instead of being waited for.
class HeadScanner {
 public:
  static constexpr size_t kIncomplete = static_cast<size_t>(-1);

  // `data` is everything received of the head so far: the bytes of the last call and more. Returns
  // the size of the head with its empty line, or kIncomplete.
  size_t Scan(std::string_view data);

  // Before the next head.
  void Restart() { scanned_ = 0; }

 private:
  size_t scanned_ = 0;  // no head ends before this
};

}  // namespace headgate::http1
