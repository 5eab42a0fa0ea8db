/* What libcurl does by itself: a bare curl_multi program with as many handles as there are calls in flight, used again
 * and again. It sends what libbeam sends, byte for byte, and keeps the answer's body; no JSON is made or read, no
 * header looked at, no deadline kept.   usage: http_reference URL IN_FLIGHT COUNT [CA]   */
#include <curl/curl.h>
#include <string.h>

#include "beam.h"
#include "measure.h"

enum { IN_FLIGHT_MAX = 256 };

static const char body[] = "{\"x\": 12, \"text\": \"sixty-four bytes of JSON for a call or two..\"}";

struct answer { /* a handle's CURLOPT_PRIVATE */
  char text[1024];
  size_t len;
};

static size_t keep(char *data, size_t size, size_t count, void *user) {
  struct answer *answer = user;
  size_t len = size * count;
  if (len > sizeof answer->text - answer->len)
    return 0;
  memcpy(answer->text + answer->len, data, len);
  answer->len += len;
  return len;
}

static CURL *handle_new(const char *url, const char *ca_file, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  struct answer *answer = calloc(1, sizeof *answer);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, answer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)sizeof body - 1);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
  if (ca_file)
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, !strncmp(url, "https", 5) ? 1L : 0L);
  return easy;
}

static struct answer *answer_of(CURL *easy) {
  char *private = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  return (struct answer *)(void *)private;
}

static void check(CURL *easy, CURLcode result) {
  struct answer *answer = answer_of(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (result || status != 200 || !answer->len) {
    fprintf(stderr, "http_reference: %s, status %ld\n", curl_easy_strerror(result), status);
    exit(1);
  }
  answer->len = 0;
}

static void call(CURLM *multi, CURL **handles, long in_flight, long count) {
  long started = 0, done = 0;
  int running, left;
  for (; started < in_flight && started < count; started++)
    curl_multi_add_handle(multi, handles[started]);
  while (done < count) {
    CURLMsg *message;
    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left))) {
      CURL *easy = message->easy_handle;
      check(easy, message->data.result);
      curl_multi_remove_handle(multi, easy);
      done++;
      if (started < count && ++started)
        curl_multi_add_handle(multi, easy);
    }
    if (done < count)
      curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

int main(int argc, char **argv) {
  struct curl_slist *headers = curl_slist_append(NULL, "User-Agent: beam-lua/" BEAM_VERSION);
  CURL *handles[IN_FLIGHT_MAX];
  if (argc < 4 || atol(argv[2]) > IN_FLIGHT_MAX)
    return 2;
  long in_flight = atol(argv[2]), count = atol(argv[3]), i;
  curl_global_init(CURL_GLOBAL_ALL);
  headers = curl_slist_append(curl_slist_append(headers, "Connection: keep-alive"), "Content-Type: application/json");
  CURLM *multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  for (i = 0; i < in_flight; i++)
    handles[i] = handle_new(argv[1], argv[4], headers);
  call(multi, handles, in_flight, in_flight * 4);
  double started = now(), started_cpu = cpu_time();
  call(multi, handles, in_flight, count);
  print_since(count, started, started_cpu);
  for (i = 0; i < in_flight; i++) {
    free(answer_of(handles[i]));
    curl_easy_cleanup(handles[i]);
  }
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
