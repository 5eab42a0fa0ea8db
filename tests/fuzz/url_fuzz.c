/* Any text as a URL, as a proxy and as a token: what is accepted must be fit for the wire, and hold together when it is
 * put into a URL again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "net/auth.h"
#include "net/http1/header.h"
#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                  \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static int is_visible(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text <= ' ' || (unsigned char)*text > '~')
      return 0;
  return 1;
}

static void check_host(const char *host, unsigned port) {
  MUST(*host && strlen(host) <= 280 && is_visible(host) && !strpbrk(host, "/\\@?#[]\"<>"));
  MUST(port >= 1 && port <= 65535);
}

static void check_again(const beam__url *url) {
  char text[2600], header[300];
  beam__url again;
  beam__url_host_header(url, header, sizeof header);
  snprintf(text, sizeof text, "%s://%s%s", url->tls ? "wss" : "ws", url->authority, url->target);
  if (strchr(url->host, '%') || beam__url_parse(&again, text, NULL)) /* may be over the bound, with the port added */
    return;
  MUST(!strcmp(again.host, url->host) && again.port == url->port && again.tls == url->tls);
  MUST(!strcmp(again.target, url->target) && !strcmp(again.authority, url->authority));
  beam__url_free(&again);
}

static void try_url(const char *text) {
  beam__url url;
  beam_error error;
  int code = beam__url_parse(&url, text, &error);
  if (code) {
    MUST(code == BEAM_EINVALID && !url.host && !url.target && *error.message);
    return;
  }
  check_host(url.host, url.port);
  MUST(url.target[0] == '/' && strlen(url.target) <= 2000 && is_visible(url.target) && !strchr(url.target, '#'));
  check_again(&url);
  beam__url_free(&url);
}

static void try_proxy(const char *text, const beam__url *url) {
  beam__proxy proxy;
  if (beam__proxy_choose(&proxy, text, url, NULL)) {
    MUST(!proxy.host && !proxy.credentials);
    return;
  }
  MUST(!*text || proxy.host);
  if (proxy.host)
    check_host(proxy.host, proxy.port);
  MUST(!proxy.credentials || strchr(proxy.credentials, ':'));
  beam__proxy_free(&proxy);
}

static void try_exemption(const char *text, const beam__url *url) {
  beam__proxy proxy;
  setenv("no_proxy", text, 1);
  MUST(!beam__proxy_choose(&proxy, NULL, url, NULL));
  beam__proxy_free(&proxy);
}

static void try_token(const char *text, enum beam_auth_scheme scheme, beam__url *url) {
  beam_auth auth = {scheme, "id", text, 0};
  beam_header header = {"authorization", NULL};
  int failed;
  char *value;
  if (beam__auth_check(&auth, url, NULL))
    return;
  value = beam__auth_header(&auth, &failed);
  header.value = value;
  MUST(!failed && (value || scheme == BEAM_AUTH_QUERY));
  MUST(!value || !beam__headers_check(&header, 1, NULL));
  beam__wipe_free(value);
  MUST(!beam__auth_query(&auth, url) && is_visible(url->target) && strlen(url->target) <= 2000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const hosts[] = {"wss://echo.beam.test/a", "wss://10.1.2.3/", "wss://[2001:db8::1]/"};
  char *text = malloc(size + 1);
  size_t i;
  memcpy(text, data, size);
  text[size] = '\0';
  setenv("https_proxy", "http://p.test:1", 1);
  try_url(text);
  for (i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    beam__url url;
    MUST(!beam__url_parse(&url, hosts[i], NULL));
    try_proxy(text, &url);
    try_exemption(text, &url);
    try_token(text, (enum beam_auth_scheme)(BEAM_AUTH_BEARER + i), &url);
    try_token(text, BEAM_AUTH_QUERY, &url);
    beam__url_free(&url);
  }
  free(text);
  return 0;
}
