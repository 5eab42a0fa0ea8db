/* What libcurl does by itself: a bare curl_multi program with as many handles as there are calls in flight, used again
 * and again, as fast as its interface allows.   usage: http_reference URL IN_FLIGHT COUNT [CA]   */
#include <curl/curl.h>
#include <string.h>

#include "measure.h"

enum { IN_FLIGHT_MAX = 256 };

static const char body[] = "{\"x\": 12, \"text\": \"sixty-four bytes of JSON for a call or two..\"}";

static size_t swallow(char *data, size_t size, size_t count, void *user) {
  (void)data, (void)user;
  return size * count;
}

static CURL *handle_new(const char *url, const char *ca_file, struct curl_slist *headers) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)sizeof body - 1);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  if (ca_file)
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, !strncmp(url, "https", 5) ? 1L : 0L);
  return easy;
}

static void check(CURL *easy, CURLcode result) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (result || status != 200) {
    fprintf(stderr, "http_reference: %s, status %ld\n", curl_easy_strerror(result), status);
    exit(1);
  }
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
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  CURL *handles[IN_FLIGHT_MAX];
  if (argc < 4 || atol(argv[2]) > IN_FLIGHT_MAX)
    return 2;
  long in_flight = atol(argv[2]), count = atol(argv[3]), i;
  curl_global_init(CURL_GLOBAL_ALL);
  CURLM *multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  for (i = 0; i < in_flight; i++)
    handles[i] = handle_new(argv[1], argv[4], headers);
  call(multi, handles, in_flight, in_flight * 4);
  double started = now(), started_cpu = cpu_time();
  call(multi, handles, in_flight, count);
  print_since(count, started, started_cpu);
  for (i = 0; i < in_flight; i++)
    curl_easy_cleanup(handles[i]);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
