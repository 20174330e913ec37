#include "dataplane/config/compile_settings.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "common/strings.h"

namespace headgate::config {
namespace {

using ::testing::StartsWith;

absl::StatusOr<SettingsSpec> Compile(const std::string& text) {
  v1::Settings settings;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &settings)) << text;
  return CompileSettings(settings);
}

TEST(CompileSettings, AnEmptyMessageMeansTheDocumentedDefaults) {
  const auto spec = Compile("");
  ASSERT_TRUE(spec.ok());
  const CompiledSettings& s = spec->settings;
  EXPECT_EQ(s.client_header_timeout, Duration(60'000));
  EXPECT_EQ(s.client_idle_timeout, Duration(75'000));
  EXPECT_EQ(s.connect_timeout, Duration(5'000));
  EXPECT_EQ(s.tls_handshake_timeout, Duration(15'000));
  EXPECT_EQ(s.max_request_head_bytes, 32768u);
  EXPECT_EQ(s.max_request_fields, 100u);
  EXPECT_EQ(s.max_response_head_bytes, 65536u);
  EXPECT_EQ(s.max_request_body_bytes, 1048576u);
  EXPECT_EQ(s.max_requests_per_connection, 0u);
  EXPECT_EQ(s.upstream_idle_connections, 320u);
  EXPECT_EQ(s.max_requests_per_upstream_connection, 10'000u);
  EXPECT_TRUE(s.access_log_enabled);
  EXPECT_FALSE(s.access_log_json);
  EXPECT_FALSE(s.trust_forwarded_headers);
  EXPECT_EQ(s.tls, tls::ServerPolicy());
  EXPECT_EQ(spec->default_certificate, "cert/default");
  EXPECT_EQ(spec->default_backend_cluster, "");
}

TEST(CompileSettings, BodiesAreNotHeldByDefault) {
  const auto spec = Compile("");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->settings.buffering, (Buffering{.request = false,
                                                 .request_memory = 8192,
                                                 .response = false,
                                                 .response_buffer = 4096,
                                                 .response_buffers = 4,
                                                 .response_file = 1073741824}));
  EXPECT_EQ(spec->settings.buffering.response_memory(), 16384u);
}

TEST(CompileSettings, TakesBufferingWithinBounds) {
  const auto spec = Compile(
      "buffering { request: true request_memory_bytes: 0 response: true response_buffer_bytes: "
      "1000000000"
      "            response_buffers: 10 response_file_bytes: 0 }");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->settings.buffering, (Buffering{.request = true,
                                                 .request_memory = 4096,
                                                 .response = true,
                                                 .response_buffer = 1000000000,
                                                 .response_buffers = 10,
                                                 .response_file = 0}));
  EXPECT_EQ(spec->settings.buffering.response_memory(), 1048576u);
}

TEST(CompileSettings, CompressionIsOffUnlessACodingIsGiven) {
  const auto none = Compile("compression { }");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->settings.compression.any());

  const auto spec = Compile(
      "compression { gzip { } brotli { level: 11 min_length: 0 types: 'Text/Plain' } zstd { level: "
      "0 types: '*' } }");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const Compression& c = spec->settings.compression;
  EXPECT_EQ(c.gzip, (Compression::Coder{.level = 1, .min_length = 256, .types = {"text/html"}}));
  EXPECT_EQ(c.brotli, (Compression::Coder{
                          .level = 6, .min_length = 0, .types = {"text/html", "text/plain"}}));
  EXPECT_EQ(c.zstd, (Compression::Coder{
                        .level = 1, .min_length = 20, .all_types = true, .types = {"text/html"}}));
}

TEST(CompileSettings, MediaTypesAreComparedWithoutParametersAndCase) {
  const Compression::Coder coder{.level = 1, .types = {"text/html", "text/plain"}};
  EXPECT_TRUE(coder.Takes("text/html"));
  EXPECT_TRUE(coder.Takes("TEXT/Plain ; charset=utf-8"));
  EXPECT_FALSE(coder.Takes("text/htm"));
  EXPECT_FALSE(coder.Takes(""));
  EXPECT_FALSE(coder.Takes("application/json"));
}

TEST(CompileSettings, TakesEveryField) {
  const auto spec = Compile(
      "timeouts { client_header { seconds: 1 } client_body { seconds: 2 } client_idle { }"
      "           client_send { seconds: 4 } connect { nanos: 1 } send { seconds: 6 nanos: "
      "500000000 }"
      "           read { seconds: 7 } upstream_idle { } tls_handshake { seconds: 9 } }"
      "limits { max_request_head_bytes: 2048 max_request_fields: 3 max_response_head_bytes: 4096"
      "         max_request_body_bytes: 0 max_requests_per_connection: 7 "
      "upstream_idle_connections: 0"
      "         max_requests_per_upstream_connection: 0 pass_underscores: true }"
      "tls { min_version: TLS_1_3 max_version: TLS_1_3 ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }"
      "access_log { disabled: true format: JSON }"
      "forwarded_headers { trust_incoming: true trusted_cidrs: '10.0.0.0/8' trusted_cidrs: '::1' }"
      "default_certificate: 'cert/n/x' default_backend_cluster: 'cluster/n/d/80'");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const CompiledSettings& s = spec->settings;
  EXPECT_EQ(s.client_header_timeout, Duration(1000));
  EXPECT_EQ(s.client_body_timeout, Duration(2000));
  EXPECT_EQ(s.client_idle_timeout, Duration(0));
  EXPECT_EQ(s.client_send_timeout, Duration(4000));
  EXPECT_EQ(s.connect_timeout, Duration(1)) << "rounded up, never down to nothing";
  EXPECT_EQ(s.send_timeout, Duration(6500));
  EXPECT_EQ(s.read_timeout, Duration(7000));
  EXPECT_EQ(s.upstream_idle_timeout, Duration(0));
  EXPECT_EQ(s.tls_handshake_timeout, Duration(9000));
  EXPECT_EQ(s.max_request_head_bytes, 2048u);
  EXPECT_EQ(s.max_request_fields, 3u);
  EXPECT_TRUE(s.pass_underscores);
  EXPECT_EQ(s.max_response_head_bytes, 4096u);
  EXPECT_EQ(s.max_requests_per_connection, 7u);
  EXPECT_EQ(s.max_request_body_bytes + s.upstream_idle_connections +
                s.max_requests_per_upstream_connection,
            0u);
  EXPECT_EQ(s.tls.min_version, tls::Version::kTls13);
  EXPECT_FALSE(s.access_log_enabled);
  EXPECT_TRUE(s.access_log_json);
  EXPECT_TRUE(s.trust_forwarded_headers);
  EXPECT_EQ(s.trusted_cidrs.size(), 2u);
  EXPECT_EQ(spec->default_certificate, "cert/n/x");
  EXPECT_EQ(spec->default_backend_cluster, "cluster/n/d/80");
}

struct BadSettings {
  const char* text;
  const char* field;
};

class RefusedSettingsTest : public ::testing::TestWithParam<BadSettings> {};

TEST_P(RefusedSettingsTest, NamesTheField) {
  const auto spec = Compile(GetParam().text);
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(std::string(ToStd(spec.status().message())), StartsWith(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, RefusedSettingsTest,
    ::testing::Values(
        BadSettings{"timeouts { read { seconds: -1 } }", "timeouts.read: is negative"},
        BadSettings{"timeouts { read { nanos: -1 } }", "timeouts.read: is negative"},
        BadSettings{"timeouts { send { seconds: 1 nanos: 1000000000 } }", "timeouts.send: nanos"},
        BadSettings{"timeouts { connect { } }", "timeouts.connect: must not be 0"},
        BadSettings{"timeouts { client_idle { seconds: 9000000000000000000 } }",
                    "timeouts.client_idle: is longer"},
        BadSettings{"limits { max_request_head_bytes: 100 }",
                    "limits.max_request_head_bytes: 100 is not"},
        BadSettings{"limits { max_response_head_bytes: 4294967295 }",
                    "limits.max_response_head_bytes"},
        BadSettings{"limits { max_request_fields: 100000 }", "limits.max_request_fields"},
        BadSettings{"compression { gzip { types: 'text/plain' types: 'plain' } }",
                    "compression.gzip.types[1]: is not a media type"},
        BadSettings{"tls { min_version: TLS_1_3 max_version: TLS_1_2 }", "tls: min_version"},
        BadSettings{"tls { ciphers: 'NONSENSE' }", "tls: ciphers"},
        BadSettings{"tls { min_version: 1 }", "tls.min_version: unknown"},
        BadSettings{"tls { dh_parameters: 'x' }", "tls: dh_parameters: these are no"},
        BadSettings{"access_log { format: 9 }", "access_log.format"},
        BadSettings{
            "forwarded_headers { trusted_cidrs: '10.0.0.0/8' trusted_cidrs: '10.0.0.0/33' }",
            "forwarded_headers.trusted_cidrs[1]: is not a CIDR"},
        BadSettings{"default_certificate: 'secret/n/x'", "default_certificate: "},
        BadSettings{"default_backend_cluster: 'cluster/'", "default_backend_cluster: "}));

}  // namespace
}  // namespace headgate::config
