#pragma once

#include <cstddef>

namespace headgate::base {

// A node of a doubly linked list, meant as a base class or member of what is listed. Unlinks itself
// when destroyed.
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { Unlink(); }

  bool linked() const { return next_ != nullptr; }
  void Unlink() {
    if (!linked()) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  template <typename T>
  friend class IntrusiveList;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

// A list that owns nothing. T derives from ListNode. Nodes still linked when the list is destroyed
// are unlinked.
template <typename T>
class IntrusiveList {
 public:
  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (!empty()) front().Unlink();
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return *static_cast<T*>(head_.next_); }
  T& back() { return *static_cast<T*>(head_.previous_); }

  void PushBack(T& item) { InsertBefore(head_, item); }
  void PushFront(T& item) { InsertBefore(*head_.next_, item); }

  // Moves everything of `other` to the end of this list.
  void Splice(IntrusiveList& other) {
    if (other.empty()) return;
    other.head_.next_->previous_ = head_.previous_;
    head_.previous_->next_ = other.head_.next_;
    other.head_.previous_->next_ = &head_;
    head_.previous_ = other.head_.previous_;
    other.head_.next_ = other.head_.previous_ = &other.head_;
  }

  // Calls `f` for each item; `f` may unlink the item it is given, and no other.
  template <typename F>
  void ForEach(F f) {
    for (ListNode* node = head_.next_; node != &head_;) {
      ListNode* next = node->next_;
      f(*static_cast<T*>(node));
      node = next;
    }
  }

 private:
  static void InsertBefore(ListNode& position, T& item) {
    ListNode& node = item;
    node.Unlink();
    node.next_ = &position;
    node.previous_ = position.previous_;
    position.previous_->next_ = &node;
    position.previous_ = &node;
  }

  ListNode head_;
};

}  // namespace headgate::base
