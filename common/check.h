// HEADGATE_CHECK: an invariant of our own code. Bad input is never a reason for it; a broken
// invariant stops the program, because going on would serve wrong answers.
#pragma once

#include <string_view>

namespace headgate {

// Writes one line to stderr and aborts. Thread: any.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view detail = {});

}  // namespace headgate

// HEADGATE_CHECK(condition) or HEADGATE_CHECK(condition, "detail"). Evaluated in every build type.
#define HEADGATE_CHECK(condition, ...)               \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::headgate::CheckFailed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__))
