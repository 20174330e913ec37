// gRPC's own client and server with the proxy between them: HTTP/2 on both sides, in clear or over
// TLS.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "tests/grpc/echo.grpc.pb.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

// Longer than any call takes, so that a lost one fails instead of hanging.
constexpr std::chrono::seconds kPatience{30};

class EchoService final : public Echo::Service {
 public:
  // Whether the client had given up when the last Chat ended.
  std::future<bool> ChatCancelled() { return chat_cancelled_.get_future(); }

 private:
  grpc::Status Unary(grpc::ServerContext*, const Message* request, Message* response) override {
    if (request->status() != 0) {
      return {static_cast<grpc::StatusCode>(request->status()), "as asked: 100 %, \"ü\""};
    }
    *response = *request;
    return grpc::Status::OK;
  }

  grpc::Status Collect(grpc::ServerContext*, grpc::ServerReader<Message>* reader,
                       Message* response) override {
    for (Message message; reader->Read(&message);) response->mutable_text()->append(message.text());
    return grpc::Status::OK;
  }

  grpc::Status Expand(grpc::ServerContext*, const Message* request,
                      grpc::ServerWriter<Message>* writer) override {
    for (int i = 0; i < request->count(); ++i) writer->Write(*request);
    return grpc::Status::OK;
  }

  grpc::Status Chat(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<Message, Message>* stream) override {
    for (Message message; stream->Read(&message);) stream->Write(message);
    chat_cancelled_.set_value(context->IsCancelled());
    return grpc::Status::OK;
  }

  std::promise<bool> chat_cancelled_;
};

enum class Transport { kPlain, kTls };

class GrpcEndToEndTest : public ::testing::TestWithParam<Transport> {
 protected:
  GrpcEndToEndTest() {
    const auto pair = headgate::testing::MakeCertificate({"localhost"});
    const bool tls = GetParam() == Transport::kTls;
    auto server_credentials = grpc::InsecureServerCredentials();
    auto client_credentials = grpc::InsecureChannelCredentials();
    if (tls) {
      grpc::SslServerCredentialsOptions options;
      options.pem_key_cert_pairs.push_back({pair.key, pair.chain});
      server_credentials = grpc::SslServerCredentials(options);
      client_credentials = grpc::SslCredentials({pair.chain, "", ""});
    }
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", server_credentials, &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();

    proxy_.Apply({R"(name: "settings" settings {
                       http2 { on_plain_connections: true } limits { max_request_body_bytes: 0 }
                     })",
                  "name: \"cert/default\" certificate { chain_pem: \"" + absl::CEscape(pair.chain) +
                      "\" key_pem: \"" + absl::CEscape(pair.key) + "\" }"});
    proxy_.Route("localhost", {*base::Address::ParseIp("127.0.0.1", static_cast<uint16_t>(port))});
    proxy_.Apply({std::string("name: \"cluster/test/localhost/80\" cluster { ") +
                  "endpoints: \"endpoints/test/localhost/80\" protocol: " + (tls ? "H2" : "H2C") +
                  " }"});

    grpc::ChannelArguments arguments;
    arguments.SetString("grpc.default_authority", "localhost");
    if (tls) arguments.SetSslTargetNameOverride("localhost");
    const uint16_t at = tls ? proxy_.https_port() : proxy_.http_port();
    stub_ = Echo::NewStub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(at),
                                                    client_credentials, arguments));
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
  }

  ~GrpcEndToEndTest() override {
    stub_.reset();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  }

  EchoService service_;
  std::unique_ptr<grpc::Server> server_;
  TestProxy proxy_;
  std::unique_ptr<Echo::Stub> stub_;
  grpc::ClientContext context_;
  Message request_;
  Message response_;
};

TEST_P(GrpcEndToEndTest, EmptyUnary) {
  const grpc::Status status = stub_->Unary(&context_, request_, &response_);
  EXPECT_TRUE(status.ok()) << status.error_code() << ' ' << status.error_message();
  EXPECT_EQ(response_.text(), "");
}

TEST_P(GrpcEndToEndTest, LargeUnary) {
  request_.set_text(std::string(3 << 20, 'x'));
  const grpc::Status status = stub_->Unary(&context_, request_, &response_);
  EXPECT_TRUE(status.ok()) << status.error_code() << ' ' << status.error_message();
  EXPECT_EQ(response_.text(), request_.text());
}

TEST_P(GrpcEndToEndTest, ClientStreaming) {
  auto writer = stub_->Collect(&context_, &response_);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    request_.set_text(std::string(1000, static_cast<char>('a' + i % 26)));
    all += request_.text();
    ASSERT_TRUE(writer->Write(request_));
  }
  writer->WritesDone();
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response_.text(), all);
}

TEST_P(GrpcEndToEndTest, ServerStreaming) {
  request_.set_count(500);
  request_.set_text(std::string(2000, 'y'));
  auto reader = stub_->Expand(&context_, request_);
  int count = 0;
  while (reader->Read(&response_)) {
    EXPECT_EQ(response_.text(), request_.text());
    ++count;
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(count, 500);
}

TEST_P(GrpcEndToEndTest, BidirectionalStreaming) {
  auto stream = stub_->Chat(&context_);
  for (int i = 0; i < 100; ++i) {
    request_.set_count(i);
    ASSERT_TRUE(stream->Write(request_));
    ASSERT_TRUE(stream->Read(&response_));  // before the next one is sent
    EXPECT_EQ(response_.count(), i);
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response_));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_P(GrpcEndToEndTest, StatusCodesWithTheirMessages) {
  for (int code = 1; code <= 16; ++code) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    request_.set_status(code);
    const grpc::Status status = stub_->Unary(&context, request_, &response_);
    EXPECT_EQ(status.error_code(), code);
    EXPECT_EQ(status.error_message(), "as asked: 100 %, \"ü\"");
  }
}

TEST_P(GrpcEndToEndTest, WithoutAnEndpointTheServiceIsUnavailable) {
  proxy_.Apply({EndpointsText("endpoints/test/localhost/80", {})});
  EXPECT_EQ(stub_->Unary(&context_, request_, &response_).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_P(GrpcEndToEndTest, CancellationReachesTheServer) {
  std::future<bool> cancelled = service_.ChatCancelled();
  auto stream = stub_->Chat(&context_);
  ASSERT_TRUE(stream->Write(request_));
  ASSERT_TRUE(stream->Read(&response_));
  context_.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ASSERT_EQ(cancelled.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(cancelled.get());
}

TEST_P(GrpcEndToEndTest, DeadlinesEndTheCallOnBothSides) {
  std::future<bool> cancelled = service_.ChatCancelled();
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  auto stream = stub_->Chat(&context_);
  ASSERT_TRUE(stream->Write(request_));
  while (stream->Read(&response_)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  ASSERT_EQ(cancelled.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(cancelled.get());
}

INSTANTIATE_TEST_SUITE_P(Plain, GrpcEndToEndTest, ::testing::Values(Transport::kPlain));
INSTANTIATE_TEST_SUITE_P(Tls, GrpcEndToEndTest, ::testing::Values(Transport::kTls));

}  // namespace
}  // namespace headgate::test
