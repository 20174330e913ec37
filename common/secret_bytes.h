// Key material and tokens: wiped when no longer needed, and impossible to print by accident.
#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <string_view>

namespace headgate {

// A value: copies are deep, every copy is wiped on destruction and on assignment. It converts to no
// string type; whoever needs the bytes says Reveal(), which is easy to find in a review.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::string_view bytes);
  SecretBytes(const SecretBytes& other) : SecretBytes(other.Reveal()) {}
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(const SecretBytes& other);
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes() { Wipe(); }

  // The bytes; valid until this object is assigned to, moved from or destroyed.
  std::string_view Reveal() const { return {bytes_.get(), size_}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Takes the same time whatever the contents (but not whatever the length).
  friend bool operator==(const SecretBytes& a, const SecretBytes& b) { return Equal(a, b); }
  friend std::ostream& operator<<(std::ostream& out, const SecretBytes&) {
    return out << "[redacted]";
  }

 private:
  static bool Equal(const SecretBytes& a, const SecretBytes& b);
  void Wipe();

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// Overwrites memory in a way the compiler may not remove. For buffers that held a secret for a
// while.
void WipeMemory(void* data, size_t size);

}  // namespace headgate
