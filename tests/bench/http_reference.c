/* What libcurl does by itself: a bare curl_multi program with 64 handles that it uses again and again, as fast as its
 * interface allows. usage: http_reference URL COUNT */
#include <curl/curl.h>
#include <string.h>

#include "measure.h"

enum { IN_FLIGHT = 64 };

static const char body[] = "{\"x\": 12, \"text\": \"sixty-four bytes of JSON for a call or two..\"}";

static size_t swallow(char *data, size_t size, size_t count, void *user) {
  (void)data, (void)user;
  return size * count;
}

static CURL *handle_new(const char *url, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)sizeof body - 1);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, !strncmp(url, "https", 5) ? 1L : 0L);
  return easy;
}

static long status_of(CURL *easy, CURLcode result) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (result || status != 200) {
    fprintf(stderr, "http_reference: %s, status %ld\n", curl_easy_strerror(result), status);
    exit(1);
  }
  return status;
}

/* Calls a second. */
static double measure(CURLM *multi, CURL **handles, unsigned in_flight, unsigned count) {
  double start = now();
  unsigned started = 0, done = 0;
  int running, left;
  for (; started < in_flight && started < count; started++)
    curl_multi_add_handle(multi, handles[started]);
  while (done < count) {
    CURLMsg *message;
    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left))) {
      CURL *easy = message->easy_handle;
      status_of(easy, message->data.result);
      curl_multi_remove_handle(multi, easy);
      done++;
      if (started < count && ++started)
        curl_multi_add_handle(multi, easy);
    }
    if (done < count)
      curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  return count / (now() - start);
}

int main(int argc, char **argv) {
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 20000, i;
  CURL *handles[IN_FLIGHT];
  CURLM *multi;
  if (argc < 2)
    return 2;
  curl_global_init(CURL_GLOBAL_ALL);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  for (i = 0; i < IN_FLIGHT; i++)
    handles[i] = handle_new(argv[1], headers);
  measure(multi, handles, IN_FLIGHT, IN_FLIGHT * 4);
  printf("one by one %.0f/s", measure(multi, handles, 1, count));
  printf(", %d in flight %.0f/s\n", IN_FLIGHT, measure(multi, handles, IN_FLIGHT, count));
  for (i = 0; i < IN_FLIGHT; i++)
    curl_easy_cleanup(handles[i]);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
