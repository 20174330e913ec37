// The libraries of the distribution are not instrumented: ThreadSanitizer sees neither their locks
// nor the order that they give to our calls, and takes both for races. What happens below a frame
// of theirs is therefore passed over, also where it is ours; the state that we share between
// threads has std::mutex, which it understands, and is watched wherever no such frame is on the
// stack.
#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc\n"
         "race:libgpr\n"
         "race:libupb\n"
         "race:libabsl\n"
         "race:libprotobuf\n"
         "race:libssl\n"
         "race:libcrypto\n"
         "race:^grpc::\n"
         "deadlock:libgrpc\n"
         "deadlock:libabsl\n";
}
#endif
