/* What libcurl does by itself for the calls of map.lua: a bare curl_multi program, one handle for each call in flight,
 * used again and again over kept connections. The answers are thrown away. usage: reference URL COUNT CONCURRENCY
 * [tolerant]   prints calls a second; tolerant: whatever became of them */
#include <curl/curl.h>
#include <string.h>

#include "measure.h"

enum { CONCURRENCY_MAX = 256 };

static int tolerant;

struct call {
  CURL *easy;
  char body[64];
};

static size_t swallow(char *data, size_t size, size_t count, void *user) {
  (void)data, (void)user;
  return size * count;
}

static void call_set_up(struct call *call, const char *url, struct curl_slist *headers) {
  call->easy = curl_easy_init();
  curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
  curl_easy_setopt(call->easy, CURLOPT_URL, url);
  curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body);
  curl_easy_setopt(call->easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(call->easy, CURLOPT_TIMEOUT, 60L);
}

static void start(CURLM *multi, struct call *call, unsigned number) {
  snprintf(call->body, sizeof call->body, "{\"x\":%u}", number);
  curl_multi_add_handle(multi, call->easy);
}

static struct call *take_done(CURLM *multi) {
  int left;
  CURLMsg *message = curl_multi_info_read(multi, &left);
  struct call *call = NULL;
  long status = 0;
  CURLcode result;
  if (!message)
    return NULL;
  result = message->data.result;
  curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)(void *)&call);
  curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
  if (!tolerant && (result || status != 200)) {
    fprintf(stderr, "reference: %s, status %ld\n", curl_easy_strerror(result), status);
    exit(1);
  }
  curl_multi_remove_handle(multi, message->easy_handle);
  return call;
}

/* Calls a second. */
static double measure(CURLM *multi, struct call *calls, unsigned concurrency, unsigned count) {
  double begin = now();
  unsigned started = 0, done = 0;
  int running;
  for (; started < concurrency && started < count; started++)
    start(multi, &calls[started], started + 1);
  while (done < count) {
    struct call *call;
    curl_multi_perform(multi, &running);
    while ((call = take_done(multi))) {
      done++;
      if (started < count)
        start(multi, call, ++started);
    }
    if (done < count)
      curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  return count / (now() - begin);
}

int main(int argc, char **argv) {
  static struct call calls[CONCURRENCY_MAX];
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  unsigned count = argc > 3 ? (unsigned)atoi(argv[2]) : 0, concurrency = argc > 3 ? (unsigned)atoi(argv[3]) : 0, i;
  CURLM *multi;
  tolerant = argc > 4;
  if (!count || !concurrency || concurrency > CONCURRENCY_MAX)
    return 2;
  curl_global_init(CURL_GLOBAL_ALL);
  multi = curl_multi_init();
  for (i = 0; i < concurrency; i++)
    call_set_up(&calls[i], argv[1], headers);
  measure(multi, calls, concurrency, concurrency * 4);
  printf("%.0f\n", measure(multi, calls, concurrency, count));
  for (i = 0; i < concurrency; i++)
    curl_easy_cleanup(calls[i].easy);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
