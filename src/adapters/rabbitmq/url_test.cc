#include "adapters/rabbitmq/url.h"

#include <gtest/gtest.h>

namespace armazem::rabbit {
namespace {

using Hosts = std::vector<Host>;

TEST(RabbitmqUrl, AllItsParts) {
  const Url url = parse_url("amqp://user%40x:p%3Aw%2F@h1:1,h2,[::1]:3/v%2Fh").value();
  EXPECT_EQ(url.user, "user@x");
  EXPECT_EQ(url.password, "p:w/");
  EXPECT_EQ(url.hosts, (Hosts{{"h1", 1}, {"h2", 5672}, {"::1", 3}}));
  EXPECT_EQ(url.vhost, "v/h");
  EXPECT_FALSE(url.tls);
}

TEST(RabbitmqUrl, WhatIsLeftOut) {
  for (const char* text : {"amqp://host", "amqp://host/"}) {
    const Url url = parse_url(text).value();
    EXPECT_EQ(url.user, "guest");
    EXPECT_EQ(url.hosts, (Hosts{{"host", 5672}}));
    EXPECT_EQ(url.vhost, "/");
  }
  EXPECT_EQ(parse_url("amqp://host/%2F")->vhost, "/");
  EXPECT_EQ(parse_url("amqp://only@host")->password, "");
}

TEST(RabbitmqUrl, Tls) {
  const Url url = parse_url("amqps://u:p@host/v?cacert=/etc/my%20ca.pem").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.hosts, (Hosts{{"host", 5671}}));
  EXPECT_EQ(url.cacert, "/etc/my ca.pem");
  EXPECT_NE(parse_url("amqps://host")->cacert, "");
}

TEST(RabbitmqUrl, WhatIsWrongIsSaidWithoutThePassword) {
  for (const char* text :
       {"", "http://host", "amqp://", "amqp:///v", "amqp://u:secret@", "amqp://u:secret@h:0", "amqp://u:secret@h:70000",
        "amqp://u:secret@h:1x", "amqp://u:secret@h,", "amqp://u:secret@,h", "amqp://u:secret%@h",
        "amqp://u:secret@h/a/b", "amqp://u:secret@h/%zz", "amqp://u:secret@[::1", "amqp://u:secret@h?cacert=x",
        "amqps://u:secret@h?cacert=", "amqps://u:secret@h?other=1"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(url.error().message.find("secret"), std::string::npos) << url.error().message;
  }
}

}  // namespace
}  // namespace armazem::rabbit
