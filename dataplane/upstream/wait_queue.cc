#include "dataplane/upstream/wait_queue.h"

#include <utility>

#include "dataplane/upstream/cluster_set.h"

namespace headgate::upstream {

void WaitingRequest::StopWaiting() {
  if (!linked()) return;
  if (queue_ == nullptr) return Unlink();
  queue_->Remove(*this);
}

WaitQueue::WaitQueue(ClusterSet& set, std::shared_ptr<config::ClusterUsage> usage)
    : set_(set), usage_(std::move(usage)), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->queue = this;
}

WaitQueue::~WaitQueue() {
  mailbox_->queue = nullptr;
  while (!requests_.empty()) {
    WaitingRequest& request = requests_.front();
    Remove(request);
    set_.TryWithoutQueue(request);
  }
  usage_->EndWaiting(*this);  // also where requests have ended without a word, with their worker
}

bool WaitQueue::Add(WaitingRequest& request, uint32_t most) {
  // A limit of 0 is one here.
  if (most == 0 || !usage_->pending.TryTake(most)) return false;
  if (requests_.empty()) {
    usage_->BeginWaiting(*this);
    RunSoon();  // what was given back a moment ago was told to nobody
  }
  requests_.PushBack(request);
  request.queue_ = this;
  return true;
}

void WaitQueue::Remove(WaitingRequest& request) {
  request.Unlink();
  request.queue_ = nullptr;
  usage_->pending.Subtract(1);
  if (!requests_.empty()) return;
  usage_->EndWaiting(*this);
  usage_->TellOfRoom();  // what we were told of and did not need
}

void WaitQueue::OnRoom() {
  if (mailbox_->posted.exchange(true)) return;
  set_.io().loop().Post([mailbox = mailbox_] {
    mailbox->posted.store(false);
    if (mailbox->queue != nullptr) mailbox->queue->Run();
  });
}

void WaitQueue::RunSoon() { set_.io().loop().Schedule(run_soon_); }

void WaitQueue::Run() {
  while (!requests_.empty() && requests_.front().TryBegin()) {
  }
}

}  // namespace headgate::upstream
