#include "common/check.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace headgate {

void CheckFailed(const char* file, int line, const char* condition, std::string_view detail) {
  std::string text = std::string("headgate: invariant broken at ") + file + ":" +
                     std::to_string(line) + ": " + condition;
  if (!detail.empty()) text.append(" (").append(detail).append(")");
  text += '\n';
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
  std::abort();
}

}  // namespace headgate
