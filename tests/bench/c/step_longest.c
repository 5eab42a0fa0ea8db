/* The longest single call that opens something, and the longest beam_step(ctx, 0), each with its place: while a DNS
 * answer takes 2 s, a TLS handshake stalls, others succeed, and the system's CA bundle is read.
 * usage: step_longest */
#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "beam.h"
#include "measure.h"
#include "net/resolve.h"

static int slow_resolver(const char *host, const char *service, const struct addrinfo *hints,
                         struct addrinfo **result) {
  (void)host;
  sleep(2);
  return getaddrinfo("127.0.0.1", service, hints, result);
}

/* ---- Servers: one says nothing, the other ends its TLS handshakes and answers ---- */

static int listen_on(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 16) ||
      getsockname(fd, (struct sockaddr *)&address, &len))
    exit(1);
  *port = ntohs(address.sin_port); /* the kernel completes TCP, whoever answers */
  return fd;
}

static X509 *make_certificate(EVP_PKEY *key) {
  X509 *certificate = X509_new();
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L);
  X509_set_pubkey(certificate, key);
  X509_add_ext(certificate, names, -1);
  X509_sign(certificate, key, EVP_sha256());
  X509_EXTENSION_free(names);
  return certificate;
}

/* A process of its own, so that ours uses OpenSSL for the first time when libbeam does. `ca_file` is written first. */
static pid_t start_server(int listener, const char *ca_file) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  int ready[2];
  char byte;
  pid_t child;
  if (pipe(ready) || (child = fork()) < 0)
    exit(1);
  if (child == 0) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    FILE *file = fopen(ca_file, "w");
    if (!file || !PEM_write_X509(file, certificate) || fclose(file) || write(ready[1], "", 1) != 1)
      _exit(1);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    for (;;) {
      SSL *ssl = SSL_new(context);
      char request[4096];
      SSL_set_fd(ssl, accept(listener, NULL, NULL));
      if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0)
        SSL_write(ssl, answer, sizeof answer - 1);
    }
  }
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1)
    exit(1);
  return child;
}

/* ---- What took longest, and where ---- */

typedef struct clocks { /* the second tells our own work from other programs' */
  double wall, cpu;
} clocks;

typedef struct record {
  double ms, cpu_ms;
  char place[256];
} record;

static char seen[200]; /* the events of this step */

static void see(const char *format, ...) {
  size_t used = strlen(seen);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(seen + used, sizeof seen - used, format, arguments);
  va_end(arguments);
}

static clocks clocks_now(void) { return (clocks){now(), seconds_of(CLOCK_THREAD_CPUTIME_ID)}; }

static void keep_longest(record *longest, clocks start, const char *place) {
  clocks end = clocks_now();
  double ms = (end.wall - start.wall) * 1e3;
  if (ms <= longest->ms)
    return;
  longest->ms = ms;
  longest->cpu_ms = (end.cpu - start.cpu) * 1e3;
  snprintf(longest->place, sizeof longest->place, "%s", place);
}

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)ws;
  see(" %s:%s", (const char *)user, event->type == BEAM_WS_CLOSED ? "closed" : beam_phase_name(event->phase));
}

static void on_http(void *user, beam_http *http, const beam_http_event *event) {
  (void)http;
  see(" %s:%s", (const char *)user, event->error ? event->error->message : "done");
}

static beam_ctx *ctx;
static record longest_open, longest_step;

static void print(const char *what, const record *longest) {
  printf("longest %s %.2f ms, of which it ran %.2f (%s)\n", what, longest->ms, longest->cpu_ms, longest->place);
}

static void open_websocket(const char *name, const char *host, unsigned port, const char *ca_file) {
  char url[64], place[64];
  beam_ws *ws;
  clocks start;
  beam_ws_options options = {
      .url = url, .on_event = on_event, .user = (char *)(uintptr_t)name, .tls = {.ca_file = ca_file}};
  snprintf(url, sizeof url, "wss://%s:%u/", host, port);
  snprintf(place, sizeof place, "beam_ws_open, %s", name);
  start = clocks_now();
  if (beam_ws_open(ctx, &ws, &options, NULL))
    exit(1);
  keep_longest(&longest_open, start, place);
}

static void start_call(const char *name, unsigned port, const char *ca_file) {
  char url[64], place[64];
  beam_http *http;
  clocks start;
  beam_http_options options = {
      .url = url, .on_event = on_http, .user = (char *)(uintptr_t)name, .tls = {.ca_file = ca_file}};
  snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
  snprintf(place, sizeof place, "beam_http_start, %s", name);
  start = clocks_now();
  if (beam_http_start(ctx, &http, &options, NULL))
    exit(1);
  keep_longest(&longest_open, start, place);
}

static void step_for(double seconds) {
  double begin = now();
  char place[256];
  while (now() < begin + seconds) {
    clocks start = clocks_now();
    *seen = '\0';
    beam_step(ctx, 0);
    snprintf(place, sizeof place, "after %.0f ms:%s", (start.wall - begin) * 1e3, *seen ? seen : " no event");
    keep_longest(&longest_step, start, place);
    usleep(1000);
  }
}

int main(void) {
  char ca_file[] = "/tmp/beam-bench-ca-XXXXXX";
  unsigned mute, live;
  pid_t server;
  double start, made;
  if (close(mkstemp(ca_file)))
    return 1;
  listen_on(&mute);
  server = start_server(listen_on(&live), ca_file);
  beam__lookup_use(slow_resolver);
  start = now();
  if (beam_new(&ctx, NULL))
    return 1;
  made = now() - start;
  open_websocket("stalled", "127.0.0.1", mute, NULL);
  start_call("stalled-call", mute, NULL);
  open_websocket("slow-name", "slow.example", mute, NULL);
  open_websocket("websocket", "127.0.0.1", live, ca_file);
  start_call("call", live, ca_file);
  step_for(3);
  start = now();
  beam_close(ctx);
  printf("beam_new %.2f ms, beam_close %.2f ms\n", made * 1e3, (now() - start) * 1e3);
  print("open", &longest_open);
  print("step", &longest_step);
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  unlink(ca_file);
  return 0;
}
