// Objects that are known by name, and there are thousands of them: each in one block of memory with
// its name right behind it. A std::string in the object costs 32 bytes and a block of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/strings.h"

namespace headgate {

// Base of such a class: `class Thing final : public Named<Thing>`. Objects are made by Make alone,
// stay where they are, and keep their name.
template <typename T>
class Named {
 public:
  struct Free {
    void operator()(T* object) const {
      object->~T();
      ::operator delete(object);
    }
  };
  using Pointer = std::unique_ptr<T, Free>;

  template <typename... Args>
  static Pointer Make(std::string_view name, Args&&... args) {
    static_assert(std::is_final_v<T>, "the name would lie in the members of what is derived");
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    void* const block = ::operator new(sizeof(T) + name.size());
    name.copy(static_cast<char*>(block) + sizeof(T), name.size());
    Pointer object(new (block) T(std::forward<Args>(args)...));
    object->name_size_ = static_cast<uint32_t>(name.size());
    return object;
  }

  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

  // Lives as long as the object.
  std::string_view name() const {
    return {reinterpret_cast<const char*>(static_cast<const T*>(this) + 1), name_size_};
  }

 protected:
  Named() = default;
  ~Named() = default;

 private:
  uint32_t name_size_ = 0;
};

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return TransparentStringHash()(name); }
  template <typename T, typename Free>
  size_t operator()(const std::unique_ptr<T, Free>& object) const {
    return (*this)(object->name());
  }
};

struct NameEqual {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return NameOf(a) == NameOf(b);
  }

 private:
  static std::string_view NameOf(std::string_view name) { return name; }
  template <typename T, typename Free>
  static std::string_view NameOf(const std::unique_ptr<T, Free>& object) {
    return object->name();
  }
};

// Owns objects that are found by name: find(std::string_view). They stay where they are.
template <typename T>
using NamedSet = absl::flat_hash_set<typename Named<T>::Pointer, NameHash, NameEqual>;

}  // namespace headgate
