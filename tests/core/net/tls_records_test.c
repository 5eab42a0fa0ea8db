/* Records of TLS between a client and a server in this process: however they are cut, and whenever their memory is
 * given back. */
#include "certificate.h"
#include "test.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include "net/tls/connection.h"

enum { HEAD = 5, RECORDS_MEMORY = 16384 };

static char path[] = "/tmp/beam-records-test-XXXXXX";
static beam_ctx *ctx;
static beam__tls_needs needs = {.files = {.insecure = 1}};
static beam__tls_profile *serving;
static beam__tls *client, *server;
static int secured; /* how many of them are */
static beam__bytes from_client, from_server;

/* ---- What OpenSSL holds ---- */

static size_t held;

static void *take(size_t size, const char *file, int line) {
  void *memory = malloc(size);
  (void)file, (void)line;
  held += malloc_usable_size(memory);
  return memory;
}

static void give_back(void *memory, const char *file, int line) {
  (void)file, (void)line;
  held -= malloc_usable_size(memory);
  free(memory);
}

static void *resize(void *memory, size_t size, const char *file, int line) {
  void *other;
  (void)file, (void)line;
  held -= malloc_usable_size(memory);
  other = realloc(memory, size);
  held += malloc_usable_size(other);
  return other;
}

/* ---- The two ---- */

/* Hands all of `bytes` to `to`, and what it decodes to `text`. */
static enum beam__tls_result feed(beam__tls *to, const char *bytes, size_t len, char *text, size_t size) {
  enum beam__tls_result result;
  size_t got, done = 0;
  beam__tls_put(to, bytes, len);
  do {
    result = beam__tls_read(to, text + done, size - done, &got);
    secured += result == BEAM__TLS_SECURED;
    done += got;
  } while ((result == BEAM__TLS_SECURED || result == BEAM__TLS_DATA) && beam__tls_has_more(to) && done < size);
  return result;
}

static void pass_on(beam__bytes *from, beam__tls *to) {
  char nothing[16];
  beam__bytes batch = *from;
  memset(from, 0, sizeof *from);
  feed(to, batch.at, batch.len, nothing, sizeof nothing);
  beam__bytes_free(&batch);
}

static void connect_them(void) {
  int turns;
  secured = 0;
  client = beam__tls_client(needs.profile, "localhost", "localhost:1", &from_client);
  server = beam__tls_server(serving, "localhost:2", &from_server);
  if (!client || !server || beam__tls_start(client))
    abort();
  for (turns = 0; turns < 4; turns++) {
    pass_on(&from_client, server);
    pass_on(&from_server, client);
  }
  CHECK_INT(secured, 2);
}

static void end_them(void) {
  beam__tls_free(client);
  beam__tls_free(server);
  beam__bytes_free(&from_client);
  beam__bytes_free(&from_server);
}

static void say(const char *text) {
  from_server.len = 0;
  CHECK_INT(beam__tls_write(server, text, strlen(text)), 0);
}

/* ---- Cut and given back ---- */

static void check_cut_at(size_t at) {
  char text[32] = "";
  say("seventeen letters");
  CHECK_INT(feed(client, from_server.at, at, text, sizeof text), BEAM__TLS_MORE);
  beam__tls_rest(client);
  CHECK_INT(feed(client, from_server.at + at, from_server.len - at, text, sizeof text), BEAM__TLS_DATA);
  CHECK_STR(text, "seventeen letters");
}

static void reads_a_record_cut_anywhere(void) {
  size_t at = 1;
  connect_them();
  do
    check_cut_at(at);
  while (++at < from_server.len);
  CHECK(at > HEAD);
  end_them();
}

static void hands_on_a_record_in_pieces(void) {
  char text[32] = "";
  connect_them();
  say("seventeen letters");
  CHECK_INT(feed(client, from_server.at, from_server.len, text, 5), BEAM__TLS_DATA);
  CHECK(beam__tls_has_more(client));
  beam__tls_rest(client);
  CHECK_INT(feed(client, "", 0, text + 5, sizeof text - 5), BEAM__TLS_DATA);
  CHECK_STR(text, "seventeen letters");
  end_them();
}

static void gives_its_memory_back(void) {
  char text[32] = "";
  size_t before;
  connect_them();
  check_cut_at(HEAD);
  CHECK_INT(beam__tls_write(client, "x", 1), 0);
  before = held;
  beam__tls_rest(client);
  CHECK(before - held > RECORDS_MEMORY * 2);
  beam__tls_rest(client);
  CHECK_INT(beam__tls_write(client, "once more", 9), 0);
  CHECK_INT(feed(server, from_client.at, from_client.len, text, sizeof text), BEAM__TLS_DATA);
  CHECK_STR(text, "xonce more");
  check_cut_at(HEAD + 1);
  end_them();
}

static void gives_the_memory_to_one_at_a_time(void) {
  size_t before;
  connect_them();
  CHECK_INT(beam__tls_write(client, "x", 1), 0);
  before = held;
  CHECK_INT(beam__tls_write(server, "y", 1), 0);
  CHECK(held < before + RECORDS_MEMORY);
  beam__tls_rest(server);
  CHECK(before - held > RECORDS_MEMORY * 2);
  end_them();
}

static void keeps_what_has_failed(void) {
  char text[32];
  connect_them();
  CHECK_INT(feed(client, "no record at all", 16, text, sizeof text), BEAM__TLS_FAILED);
  beam__tls_rest(client);
  CHECK(beam__tls_has_failed(client));
  end_them();
}

int main(void) {
  beam_error error;
  int fd = mkstemp(path);
  if (fd < 0 || close(fd) || !CRYPTO_set_mem_functions(take, resize, give_back))
    abort();
  write_certificate(path);
  if (beam_new(&ctx, NULL) || beam__tls_needs_start(ctx, &needs, &(beam_tls){.insecure = 1}, &error) ||
      beam__tls_needs_make(ctx, &needs, &error) ||
      beam__tls_profile_serve(ctx, &serving, &(beam_tls){.cert_file = path, .key_file = path}, &error))
    abort();
  RUN(reads_a_record_cut_anywhere);
  RUN(hands_on_a_record_in_pieces);
  RUN(gives_its_memory_back);
  RUN(gives_the_memory_to_one_at_a_time);
  RUN(keeps_what_has_failed);
  beam__tls_needs_release(&needs);
  beam__tls_profile_release(serving);
  beam_close(ctx);
  unlink(path);
  return test_end();
}
