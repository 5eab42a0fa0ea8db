/* Exchanges that ended well lie ready for the next ones to the same place. To make one, set up curl's handle and undo
 * all that costs a third of a short call; used again, only what differs from call to call is set: the body, the headers
 * and with them the credentials, of which nothing stays in between.
 *
 * One whose handle knows a secret is not kept: in its URL, of a proxy, of a client's own certificate. Nor is a stream,
 * or an upload in pieces: there it would not count.
 */
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "net/tls/files.h"

enum { KEPT_MAX = 64, BUFFER_MAX = 16 * 1024 };

struct beam__kept {
  beam__owned owned;
  beam_ctx *ctx;
  struct row {
    uint64_t key; /* of the URL: few of the others have to be looked at */
    beam_http *http;
  } rows[KEPT_MAX]; /* the newest last: what it has touched is still near */
  unsigned count;
};

/* ---- What it was set to ---- */

static int may_be_kept(const beam_http *http, const beam_http_options *options) {
  return !options->stream && !options->upload && !http->proxy.host && options->auth.scheme != BEAM_AUTH_QUERY &&
         !strchr(options->url, '?') && !beam__is_given(options->tls.cert_file) &&
         !beam__is_given(options->tls.key_file) && (!http->url.tls || http->trust || options->tls.insecure);
}

int beam__http_note(beam_http *http, const beam_http_options *options) {
  struct beam__http_note *note = &http->note;
  if (!may_be_kept(http, options))
    return 0;
  if (!(note->url = beam__strdup(options->url)))
    return BEAM_ENO_MEMORY;
  memcpy(note->method, beam__http_method(options), strlen(beam__http_method(options)) + 1); /* check_method: fits */
  note->posts = beam__http_posts(options);
  note->http1 = beam__http_wants_http1(http->url.tls, options);
  note->insecure = options->tls.insecure != 0;
  note->trust_id = http->trust ? beam__trust_id(http->trust) : 0;
  return 0;
}

static int is_noted(const beam_http *http, const beam_http_options *options) {
  const struct beam__http_note *note = &http->note;
  return !strcmp(note->url, options->url) && !strcmp(note->method, beam__http_method(options)) &&
         note->posts == beam__http_posts(options) && note->insecure == (options->tls.insecure != 0) &&
         note->http1 == beam__http_wants_http1(http->url.tls, options) &&
         http->connect_timeout_ms == beam__http_connect_timeout(options);
}

/* The environment may have changed since. */
static int needs_no_proxy(const beam_http *http, const beam_http_options *options) {
  beam__proxy proxy;
  int none = !beam__proxy_choose(&proxy, options->proxy, &http->url, NULL) && !proxy.host;
  beam__proxy_free(&proxy);
  return none;
}

/* The file may have changed since: another trust has another number. */
static int trusts_the_same(beam_http *http, const beam_http_options *options) {
  if (!http->note.trust_id)
    return 1;
  http->trust = beam__trust_if_ready(http->ctx, beam__tls_ca_file(&options->tls));
  if (http->trust && beam__trust_id(http->trust) == http->note.trust_id)
    return 1;
  beam__http_release_trust(http);
  return 0;
}

/* ---- Keeping ---- */

static uint64_t key_of(const char *url) {
  uint64_t key = 14695981039346656037u; /* FNV-1a */
  for (; *url; url++)
    key = (key ^ (unsigned char)*url) * 1099511628211u;
  return key;
}

static beam_http *take_out(struct beam__kept *kept, unsigned at) {
  beam_http *http = kept->rows[at].http;
  kept->count--;
  memmove(kept->rows + at, kept->rows + at + 1, (kept->count - at) * sizeof *kept->rows);
  return http;
}

static void end_oldest(struct beam__kept *kept) {
  beam_http *http = take_out(kept, 0);
  http->ended = 1; /* well: its handle may be used for others */
  beam__http_end(http);
}

static void destroy_kept(beam__owned *owned) {
  struct beam__kept *kept = BEAM__CONTAINER(owned, struct beam__kept, owned);
  beam__list_remove(&owned->node);
  while (kept->count)
    end_oldest(kept);
  kept->ctx->kept = NULL;
  free(kept);
}

static struct beam__kept *kept_of(beam_ctx *ctx) {
  if (!ctx->kept && (ctx->kept = calloc(1, sizeof *ctx->kept))) {
    ctx->kept->ctx = ctx;
    beam__own(ctx, &ctx->kept->owned, destroy_kept);
  }
  return ctx->kept;
}

/* What was of the one exchange goes, and nothing of its credentials stays. */
static void clear(beam_http *http) {
  beam__http_release_trust(http);
  beam__lines_wipe(&http->lines);
  free(http->held);
  beam__decoder_free(&http->decoder);
  beam__response_forget(&http->response);
  beam__response_shrink(&http->response, BUFFER_MAX);
  if (http->body_size > BUFFER_MAX) {
    free(http->body);
    http->body = NULL;
    http->body_size = 0;
  }
  http->curl_text[0] = http->subject[0] = http->issuer[0] = '\0';
  memset((char *)http + BEAM__HTTP_KEPT, 0, sizeof *http - BEAM__HTTP_KEPT);
}

/* Curl (7.88) counts over the life of a handle how often it had to begin anew, and a restart changes options. One that
 * was repeated by its caller may have had either before. */
static int went_straight(const beam_http *http) {
  return !http->repeated && !http->mended && http->ended && !http->error.code && http->attempts == 1 &&
         !http->renewed && !http->refusals && !http->sent_before_restart;
}

int beam__http_keep(beam_http *http) {
  struct beam__kept *kept;
  if (!http->note.url || !went_straight(http) || http->ctx->closing || !(kept = kept_of(http->ctx)))
    return 0;
  if (kept->count == KEPT_MAX)
    end_oldest(kept);
  clear(http);
  kept->rows[kept->count].key = key_of(http->note.url);
  kept->rows[kept->count++].http = http;
  return 1;
}

beam_http *beam__http_kept(beam_ctx *ctx, const beam_http_options *options) {
  struct beam__kept *kept = ctx->kept;
  uint64_t key;
  unsigned i;
  if (!kept || !kept->count || !options->url || !options->on_event || options->upload || options->stream ||
      options->auth.scheme == BEAM_AUTH_QUERY || beam__is_given(options->tls.cert_file) ||
      beam__is_given(options->tls.key_file))
    return NULL;
  key = key_of(options->url);
  for (i = kept->count; i-- > 0;)
    if (kept->rows[i].key == key && is_noted(kept->rows[i].http, options) &&
        needs_no_proxy(kept->rows[i].http, options) && trusts_the_same(kept->rows[i].http, options))
      return take_out(kept, i);
  return NULL;
}
