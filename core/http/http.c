#include "http/http.h"

#include <stdlib.h>
#include <string.h>

static void release(beam_http *http);

/* ---- Events ---- */

void beam__http_deliver(beam_http *http, enum beam_http_event_type type, const void *data, size_t len) {
  beam_http_event event = {.type = type,
                           .status = http->response.status,
                           .headers = http->response.headers,
                           .header_count = http->response.header_count,
                           .data = data,
                           .len = len};
  beam_http_times times;
  if (http->freed)
    return;
  if (type == BEAM_HTTP_DONE) {
    beam__http_times(http, &times);
    event.times = &times;
    event.error = http->error.code ? &http->error : NULL;
  }
  http->dispatching++;
  http->on_event(http->user, http, &event);
  http->dispatching--;
}

static void finish(beam_http *http) {
  int whole = !http->stream && !http->error.code;
  if (http->done || http->freed)
    return;
  http->done = 1; /* its timer goes on for one that is sent again, and ends with the others */
  beam__log(http->ctx, BEAM_LOG_DEBUG, "http: %s answered %d%s%s", http->url.authority, http->response.status,
            http->error.code ? ", " : "", http->error.code ? http->error.message : "");
  beam__http_deliver(http, BEAM_HTTP_DONE, whole && http->response.body.at ? http->response.body.at : "",
                     whole ? http->response.body.len : 0);
}

/* Ends it from our side, outside of curl. */
static void abandon(beam_http *http) {
  beam__transfer_stop(http->ctx->curl, &http->transfer);
  http->ended = 1;
  finish(http);
}

/* ---- Deadlines: ours, since curl's do not count while a transfer waits for another's connection (7.88) ---- */

static void on_deadline(uv_timer_t *timer);

/* A timer that is too early stays: it looks again. So most exchanges need none of their own, but find that of one
 * before. */
static void arm_deadline(beam_http *http) {
  uint64_t now = uv_now(&http->ctx->loop), due = http->exchange_due;
  if (http->connect_due && (!due || http->connect_due < due))
    due = http->connect_due;
  if (!due || (http->armed && http->armed <= due))
    return; /* one that fires too early is armed anew */
  http->armed = due;
  uv_timer_start(&http->deadline, on_deadline, due > now ? due - now : 0, 0);
}

static void on_deadline(uv_timer_t *timer) {
  beam_http *http = timer->data;
  uint64_t now = uv_now(&http->ctx->loop);
  int whole = http->exchange_due && now >= http->exchange_due;
  http->armed = 0;
  if (http->done || http->freed)
    return;
  if (!whole && !(http->connect_due && now >= http->connect_due)) {
    arm_deadline(http);
    return;
  }
  beam__http_fail_curl(http, CURLE_OPERATION_TIMEDOUT);
  abandon(http);
}

/* A connection from the pool may turn out dead, and curl then goes back to connecting: with a deadline of its own. */
void beam__http_enter(beam_http *http, enum beam_phase phase) {
  int connecting = phase < BEAM_PHASE_REQUEST, was_connecting = http->phase < BEAM_PHASE_REQUEST;
  http->phase = phase;
  if (!connecting) {
    http->connect_due = 0;
    http->asked_at = uv_hrtime();
  } else if (!was_connecting) {
    http->connect_due = uv_now(&http->ctx->loop) + http->connect_timeout_ms;
    arm_deadline(http);
  }
}

/* ---- What the pool tells ---- */

static void start_connect_deadline(beam_http *http) {
  http->connect_due = uv_now(&http->ctx->loop) + http->connect_left_ms;
  arm_deadline(http);
}

static void on_started(beam__transfer *transfer) {
  start_connect_deadline(BEAM__CONTAINER(transfer, beam_http, transfer));
}

static void on_unwatched(beam__transfer *transfer) {
  beam__http_upload_unwatched(BEAM__CONTAINER(transfer, beam_http, transfer));
}

/* Is the answer whole, though curl failed? It sends on to a server that has answered, and may find it gone; what could
 * not be sent was only the end of what is answered. */
static int is_whole(const beam_http *http, CURLcode result) {
  curl_off_t length = -1, got = 0;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(http->transfer.easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
  if (length >= 0)
    return http->response.status && got == length;
  return http->upload.unwatched && result != CURLE_RECV_ERROR;
}

static void on_gathered(beam__transfer *transfer) {
  beam__http_tell_gathered(BEAM__CONTAINER(transfer, beam_http, transfer));
}

static void on_done(beam__transfer *transfer, CURLcode result) {
  beam_http *http = BEAM__CONTAINER(transfer, beam_http, transfer);
  if (http->freed)
    return;
  if ((result == CURLE_SEND_ERROR || result == CURLE_RECV_ERROR || result == CURLE_READ_ERROR) &&
      is_whole(http, result)) {
    result = CURLE_OK;
    http->mended = 1;
  }
  if (beam__http_restart(http, result)) {
    beam__transfer_start(http->ctx->curl, transfer);
    return;
  }
  http->ended = 1;
  if (result)
    beam__http_fail_curl(http, result);
  if (!http->holding)
    beam__http_check_end(http);
  if (!http->holding)
    finish(http);
  if (http->freed && !http->dispatching && !http->ctx->curl->busy)
    release(http); /* by its last event: at once, for the next one to use */
}

/* ---- CA certificates: what they take counts as connecting, the time in the queue does not ---- */

static void on_trust(void *user) {
  beam_http *http = user;
  uint64_t now = uv_now(&http->ctx->loop);
  if (http->done || http->freed)
    return;
  if (beam__http_check_trust(http)) {
    abandon(http);
    return;
  }
  http->connect_left_ms = http->connect_due > now ? (unsigned)(http->connect_due - now) : 0;
  http->connect_due = 0;
  beam__transfer_start(http->ctx->curl, &http->transfer);
}

static void queue(beam_http *http) {
  http->connect_left_ms = http->connect_timeout_ms;
  if (beam__http_lacks_trust(http)) {
    beam__trust_await(http->trust, &http->trust_waiter, on_trust, http);
    start_connect_deadline(http);
  } else {
    beam__transfer_start(http->ctx->curl, &http->transfer);
  }
}

/* ---- Life ---- */

void beam__http_end(beam_http *http) {
  beam__http_unprepare(http);
  uv_close((uv_handle_t *)&http->deadline, beam__free_with_handle);
}

static void release(beam_http *http) {
  beam__task_cancel(&http->task);
  beam__transfer_stop(http->ctx->curl, &http->transfer);
  beam__list_remove(&http->owned.node);
  beam__http2_leave(http);
  if (!beam__http_keep(http))
    beam__http_end(http);
}

static void destroy_http(beam__owned *owned) {
  beam_http *http = BEAM__CONTAINER(owned, beam_http, owned);
  http->freed = 1;
  release(http);
}

/* The two directions pause by themselves, and curl is told of both at once. */
static void resume_curl(beam_http *http) {
  int reading = http->curl_paused && !http->paused && !http->holding, writing = http->upload.paused;
  if (!reading && !writing)
    return;
  if (reading)
    http->curl_paused = 0;
  http->upload.paused = 0;
  beam__transfer_resume(http->ctx->curl, &http->transfer, http->curl_paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

/* After a resume: first what was held back, then what curl has. */
static void go_on(beam_http *http) {
  if (http->done)
    return;
  if (http->paused) {
    resume_curl(http);
    return;
  }
  if (http->holding && beam__http_take_held(http)) {
    if (!http->freed)
      abandon(http);
    return;
  }
  if (http->freed)
    return;
  if (http->ended && !http->holding) {
    beam__http_check_end(http);
    finish(http);
  } else {
    resume_curl(http);
  }
}

static void run_task(beam__task *task) {
  beam_http *http = BEAM__CONTAINER(task, beam_http, task);
  if (http->freed)
    release(http);
  else
    go_on(http);
}

static void begin(beam_http *http) {
  beam_ctx *ctx = http->ctx;
  if (!ctx->stepping)
    uv_update_time(&ctx->loop); /* the loop's clock stands still between steps: the deadline counts from now */
  if (http->timeout_ms)
    http->exchange_due = uv_now(&ctx->loop) + http->timeout_ms;
  arm_deadline(http);
  queue(http);
  beam__touch(ctx);
}

static beam_http *http_new(beam_ctx *ctx) {
  beam_http *http = calloc(1, sizeof *http);
  if (!http)
    return NULL;
  http->ctx = ctx;
  http->transfer.started = on_started;
  http->transfer.unwatched = on_unwatched;
  http->transfer.gathered = on_gathered;
  http->transfer.done = on_done;
  beam__list_init(&http->transfer.gathering);
  beam__task_init(&http->task, run_task);
  return http;
}

static int start_again(beam_http *http, const beam_http_options *options, beam_error *error) {
  int failed = beam__http_prepare_again(http, options, error);
  if (failed)
    beam__http_end(http);
  return failed;
}

static int start_new(beam_ctx *ctx, beam_http **out, const beam_http_options *options, beam_error *error) {
  beam_http *http = beam__curl_of(ctx) ? http_new(ctx) : NULL;
  int failed;
  if (!http)
    return beam__no_memory(error);
  failed = beam__http_prepare(http, options, error);
  if (failed) {
    beam__http_unprepare(http);
    free(http);
    return failed;
  }
  uv_timer_init(&ctx->loop, &http->deadline);
  http->deadline.data = http;
  *out = http;
  return 0;
}

int beam_http_start(beam_ctx *ctx, beam_http **out, const beam_http_options *options, beam_error *error) {
  beam_http *http;
  int failed;
  *out = NULL;
  if (beam__is_foreign(ctx))
    return beam__invalid(error, "%s", beam__foreign);
  http = beam__http_kept(ctx, options);
  failed = http ? start_again(http, options, error) : start_new(ctx, &http, options, error);
  if (failed)
    return failed;
  beam__own(ctx, &http->owned, destroy_http);
  begin(http);
  *out = http;
  return 0;
}

/* What an attempt leaves behind; the options stand in the easy handle. */
static void forget_attempt(beam_http *http) {
  if (http->renewed)
    curl_easy_setopt(http->transfer.easy, CURLOPT_FRESH_CONNECT, 0L);
  http->started_at = uv_hrtime();
  http->asked_at = http->answered_at = http->received = http->taken = 0;
  http->connect_due = http->exchange_due = 0;
  http->phase = BEAM_PHASE_NONE;
  http->attempts = 0;
  http->stale = http->renewed = http->cleared = 0;
  http->refusals = 0;
  beam__http2_leave(http);
  http->sent_before = 0;
  http->sent_before_restart = 0;
  http->curl_text[0] = http->subject[0] = http->issuer[0] = '\0';
  http->paused = http->curl_paused = http->ended = http->done = 0;
  http->repeated = 1;
  beam__response_forget(&http->response);
  beam__decoder_free(&http->decoder);
}

int beam_http_again(beam_http *http) {
  if (!http->done || http->freed || http->error.code || http->upload.wanted || beam__is_foreign(http->ctx))
    return BEAM_EINVALID;
  forget_attempt(http);
  begin(http);
  return 0;
}

void beam_http_pause(beam_http *http) { http->paused = http->stream; }

void beam_http_resume(beam_http *http) {
  if (!http->paused || beam__is_foreign(http->ctx))
    return;
  http->paused = 0;
  if (http->curl_paused || http->holding)
    beam__task_defer(http->ctx, &http->task);
}

void beam_http_free(beam_http *http) {
  if (!http || http->freed || beam__is_foreign(http->ctx))
    return;
  http->freed = 1;
  if (http->dispatching || http->ctx->curl->busy)
    beam__task_defer(http->ctx, &http->task);
  else
    release(http);
}
