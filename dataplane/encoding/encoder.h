#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dataplane/encoding/coding.h"

namespace headgate::encoding {

// Encodes one body after the other, piece by piece: no I/O, bounded memory, none allocated per
// piece.
//
// Windows are small (32 to 256 KiB) and levels moderate: what a proxy sends is small, and encoded
// anew each time.
class Encoder {
 public:
  enum class Op : uint8_t {
    kContinue,  // more will follow; bytes may stay inside
    kFlush,     // everything given so far is to come out
    kFinish,    // the body ends here
  };
  struct Result {
    size_t produced = 0;
    // The input is used up and what the operation asks for has come out. Else call again with what
    // is left of the input and room for output.
    bool done = false;
    // Out of memory. The body cannot be completed.
    bool failed = false;
  };

  virtual ~Encoder() = default;

  Coding coding() const { return coding_; }

  // Begins a body, whatever became of the one before. Level 1 to MaxLevel. False: out of memory.
  [[nodiscard]] virtual bool Start(int level) = 0;
  // Takes from the front of `input` and writes to `out`, which has room for 64 bytes or more.
  virtual Result Encode(std::string_view& input, Op op, std::span<char> out) = 0;
  // Gives back what is not worth keeping for the next body.
  virtual void Stop() = 0;

 protected:
  explicit Encoder(Coding coding) : coding_(coding) {}

 private:
  const Coding coding_;
};

// REQUIRES: not kIdentity.
std::unique_ptr<Encoder> MakeEncoder(Coding coding);

// The highest level used: what is above costs many times the work and memory for a few percent.
int MaxLevel(Coding coding);

// What an encoder holds at most while it is in use at that level, in bytes; for limits.
size_t EncoderMemory(Coding coding, int level);

}  // namespace headgate::encoding
