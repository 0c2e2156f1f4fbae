/*
 * dkim_keys.h: the keys and the message of RFC 8463 A, whose text both RFC
 * 6376 A.1 and it sign.
 */
#ifndef TESTS_UNIT_DKIM_KEYS_H
#define TESTS_UNIT_DKIM_KEYS_H

#define RFC_ED25519_KEY "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n"
#define RFC_ED25519_PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

#define RFC_RSA_KEY                                                            \
	"-----BEGIN RSA PRIVATE KEY-----\n"                                    \
	"MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"   \
	"Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"   \
	"KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"   \
	"AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"   \
	"6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"   \
	"zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"   \
	"6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"   \
	"uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"   \
	"WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"   \
	"WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"   \
	"licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"   \
	"o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"   \
	"uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"                       \
	"-----END RSA PRIVATE KEY-----\n"

#define RFC_RSA_PUBLIC                                                          \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"                    \
	"iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC" \
	"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3" \
	"Ip3G+2kryOTIKT+l/K4w3QIDAQAB"

/* LF ends, as struct message has it. */
#define RFC_HEADER                                                             \
	"From: Joe SixPack <joe@football.example.com>\n"                       \
	"To: Suzie Q <suzie@shopping.example.net>\n"                           \
	"Subject: Is dinner ready?\n"                                          \
	"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"                        \
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\n"

/* CRLF ends, as the wire has it. */
#define RFC_BODY                                                               \
	"Hi.\r\n"                                                              \
	"\r\n"                                                                 \
	"We lost the game.  Are you hungry yet?\r\n"                           \
	"\r\n"                                                                 \
	"Joe.\r\n"

#define RFC_BODY_HASH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

/* The fields as A.3 prints them, up to b=, and what follows it. */
#define RFC_ED25519_FIELD                                                      \
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"          \
	" d=football.example.com; i=@football.example.com;\n"                  \
	" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"                \
	" subject : date : message-id : from : subject : date;\n"              \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"                  \
	" b="
#define RFC_ED25519_NAMES                                                      \
	"from : to :\n subject : date : message-id : from : subject : date"
#define RFC_ED25519_SIGNATURE                                                  \
	"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"             \
	"Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="

#define RFC_RSA_FIELD                                                          \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n"              \
	" d=football.example.com; i=@football.example.com;\n"                  \
	" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"          \
	" date : message-id : from : subject : date;\n"                        \
	" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"                  \
	" b="
#define RFC_RSA_NAMES                                                          \
	"from : to : subject :\n date : message-id : from : subject : date"
#define RFC_RSA_SIGNATURE                                                      \
	"F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"             \
	"DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"           \
	"dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="

#endif
